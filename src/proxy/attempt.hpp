#pragma once

#include "client_session.hpp"
#include "lmb/dispatch/dispatcher.hpp"
#include "lmb/net/task.hpp"
#include "lmb/scheduling/retry.hpp"
#include "request_context.hpp"

namespace lmb::proxy {

/// Waits for a slot (phase queue). Errors: those of dispatch::Acquisition::take, route_unsupported
/// (no worker for the model has the route), response_unknown, response_away, client_gone,
/// request_timeout, shutting_down.
net::Task<Result<dispatch::Lease>> acquire_lease(ClientConnection& client, RequestContext& ctx);

/// One attempt on the leased worker: connection, send, answer (phases connect, send, prefill,
/// generate, drain). `fresh`: do not use a pooled connection. Fills `history` with the facts that
/// decide_retry needs. Errors: those of upstream::Exchange and AnswerRelay.
net::Task<Result<void>> run_attempt(ClientConnection& client, RequestContext& ctx,
                                    dispatch::Lease& lease, bool fresh,
                                    scheduling::AttemptHistory& history);

}  // namespace lmb::proxy
