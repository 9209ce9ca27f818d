#pragma once

#include "lmb/base/error.hpp"
#include "lmb/dispatch/dispatcher.hpp"

namespace lmb::proxy {

/// What a failed attempt says of the worker's health. Only the worker's own faults count: a route
/// or a model that it lacks is an answer, and the client's or our reasons are no evidence.
scheduling::Outcome outcome_of(ErrorKind error) noexcept;
/// The loaded instance that the slot names is not there any more: its worker may load the model
/// again, so that the same one may be asked once more.
bool tells_gone(const scheduling::Slot& slot, const Error& error) noexcept;
/// The last attempt's failure tells the client more than why there is no other: every worker was
/// tried, or none that is left can load the model.
bool tells_more(ErrorKind failure, ErrorKind refusal) noexcept;
/// Gives the slot back after a failed attempt, with that outcome.
void finish_failed(dispatch::Lease& lease, const Error& error, std::uint64_t prompt = 0) noexcept;

}  // namespace lmb::proxy
