#pragma once

#include <boost/asio/awaitable.hpp>

#include "client_session.hpp"
#include "lmb/dispatch/dispatcher.hpp"
#include "lmb/upstream/exchange.hpp"
#include "request_context.hpp"

namespace lmb::proxy {

/// Judges a worker's answer and carries it to the client.
///
/// Nothing goes to the client before the commit point (DESIGN section 5): the first complete SSE
/// event that is not a comment, the whole body for errors and small counted answers, else the first
/// body byte. Until then errors leave the request free to be tried elsewhere (ctx.committed is
/// false). From then on a failure can only cut the answer. The lease is finished as soon as the
/// worker's answer is complete, however slow the client is. Errors: worker_closed, bad_response,
/// worker_error, route_unsupported; client_gone, client_stalled, request_timeout, shutting_down.
/// After an error past the commit point the client's connection must be closed.
boost::asio::awaitable<Result<void>> relay_answer(ClientConnection& client, RequestContext& ctx,
                                                  upstream::Exchange& exchange,
                                                  dispatch::Lease& lease);

}  // namespace lmb::proxy
