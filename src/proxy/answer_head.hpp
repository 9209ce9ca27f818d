#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "lmb/protocol/head.hpp"
#include "request_context.hpp"

namespace lmb::proxy {

/// How an answer's body is delimited towards the client.
struct ClientFraming {
  protocol::BodyFraming kind = protocol::BodyFraming::counted;
  std::uint64_t content_length = 0;  ///< For counted.
};

/// Chooses the framing: counted when the length is known, chunked for HTTP/1.1, else until close
/// (which also ends keep-alive). A stream of events is never counted: when it turns out to be cut,
/// there must be room for an event that says so.
ClientFraming choose_framing(RequestContext& ctx, const protocol::ResponseHead& worker_head,
                             bool event_stream);

/// What a worker that is too busy (429, 503) asks to wait; 0 = nothing.
std::chrono::seconds asked_wait(const protocol::ResponseHead& worker_head);

/// Appends status line and fields up to and including the empty line: Date, `fields` (complete
/// lines), the framing, Connection, x-request-id, and, when a worker answered, x-lmb-worker,
/// x-lmb-attempts and server-timing.
void append_answer_head(RequestContext& ctx, unsigned status, std::string_view fields,
                        const ClientFraming& framing, std::string& out);

}  // namespace lmb::proxy
