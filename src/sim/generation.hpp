#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>

#include "answer.hpp"
#include "studio.hpp"

namespace lmb::sim {

/// Answers one chat or text completion. `number` names the request for Studio::note_model.
boost::asio::awaitable<void> generate(std::shared_ptr<Studio> studio, http::Exchange& exchange,
                                      AnswerForm form, Fault fault, std::uint64_t number);

/// Answers one embedding request.
boost::asio::awaitable<void> embed(std::shared_ptr<Studio> studio, http::Exchange& exchange,
                                   Fault fault, std::uint64_t number);

}  // namespace lmb::sim
