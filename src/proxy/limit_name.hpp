#pragma once

#include <string_view>

#include "lmb/base/error.hpp"

namespace lmb::proxy {

/// The config key of the limit whose hitting this kind means, for lmbalancer_limit_hits_total;
/// empty = none. `stream`: the request asked for a stream, which has limits of its own.
std::string_view limit_name(ErrorKind kind, bool stream) noexcept;

}  // namespace lmb::proxy
