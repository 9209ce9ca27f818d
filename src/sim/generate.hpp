#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>

#include "generation.hpp"

namespace lmb::sim {

/// Answers one generation, in any dialect.
boost::asio::awaitable<void> generate(std::shared_ptr<Studio> studio, http::Exchange& exchange,
                                      const GenerationCall& call);

/// Answers one embedding request.
boost::asio::awaitable<void> embed(std::shared_ptr<Studio> studio, http::Exchange& exchange,
                                   const GenerationCall& call);

}  // namespace lmb::sim
