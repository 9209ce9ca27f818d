#pragma once

#include "client_session.hpp"
#include "lmb/net/task.hpp"
#include "request_context.hpp"

namespace lmb::proxy {

/// Carries one request from its parsed head to its end; reads like the table in
/// docs/architecture.md. The head's views are used before anything suspends. Always answers or
/// cuts, always records. Afterwards ctx.keep_alive tells whether the connection may serve another
/// request.
net::Task<void> handle_request(ClientConnection& client, RequestContext& ctx,
                               const protocol::RequestHead& head);

/// Answers a request that never got as far as a head (malformed, too slow), and records it.
net::Task<void> refuse_head(ClientConnection& client, RequestContext& ctx, Error error);

}  // namespace lmb::proxy
