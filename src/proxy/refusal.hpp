#pragma once

#include "client_session.hpp"
#include "lmb/net/task.hpp"
#include "lmb/proxy/local_answer.hpp"
#include "request_context.hpp"

namespace lmb::proxy {

/// Sends a whole answer of our own. Errors: client_gone, client_stalled, shutting_down,
/// request_timeout.
net::Task<Result<void>> send_local(ClientConnection& client, RequestContext& ctx,
                                   LocalAnswer answer);

/// Tells the client what went wrong, in its dialect, by the one table (protocol/api_error.hpp);
/// closes the connection where the table says so. After the commit point the answer is cut instead.
/// Marks the record.
net::Task<void> refuse(ClientConnection& client, RequestContext& ctx, Error error);

}  // namespace lmb::proxy
