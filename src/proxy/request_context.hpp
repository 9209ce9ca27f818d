#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "lmb/protocol/content_coding.hpp"
#include "lmb/protocol/request_facts.hpp"
#include "lmb/protocol/route.hpp"
#include "lmb/proxy/front.hpp"
#include "lmb/scheduling/demand.hpp"
#include "lmb/telemetry/request_record.hpp"
#include "request_body.hpp"

namespace lmb::proxy {

/// LM Studio's tokenizers take about 4 bytes of English or code per token.
constexpr std::uint64_t estimated_prompt_tokens(const protocol::RequestFacts& facts) noexcept {
  constexpr std::uint64_t bytes_per_token = 4;
  return facts.prompt_bytes / bytes_per_token;
}

/// One request's state, from its first byte to its end. Lives in the coroutine that handles the
/// request; gives its memory and buffers back when it ends, however that happens.
struct RequestContext {
  RequestContext(Front& its_front, TimePoint begun);
  RequestContext(const RequestContext&) = delete;
  RequestContext& operator=(const RequestContext&) = delete;
  ~RequestContext();

  /// Frees what only an attempt needs, the body and its charge above all: at the commit point, when
  /// there will be no other.
  void release_request();

  /// Tells the same prompt again from another one, also after release_request(); 0 = there was
  /// none. Of a long body only both ends are looked at.
  [[nodiscard]] std::uint64_t prompt_hash();

  /// Marks the record with what went wrong and in which phase: that of `failed_in`, or else the one
  /// that is open.
  void note_error(ErrorKind kind);
  /// Time in this phase until now goes to the phase open so far.
  void enter(telemetry::Phase phase) { record.phases.enter(phase, Clock::now()); }

  Front& front;
  telemetry::RequestRecord record;
  protocol::Route route;
  protocol::RequestFacts facts;
  std::string target;         ///< Request target for the worker.
  std::string worker_fields;  ///< The client's end-to-end fields.
  RequestBody body;           ///< Decoded and inflated.
  protocol::ContentCoding coding = protocol::ContentCoding::identity;  ///< As it was sent.
  scheduling::WorkerSet tried;
  scheduling::WorkerSet cannot_load;      ///< Workers that could not provide the model.
  RunningRequest running{record, tried};  ///< In Front::running().
  /// What the last worker asked to wait, if it was too busy (429, 503); 0 = nothing.
  std::chrono::seconds worker_wait{0};
  /// Where the attempt failed whose error the client is told, when nobody else was left to ask.
  std::optional<telemetry::Phase> failed_in;
  bool http_1_1 = true;
  bool keep_alive = true;  ///< The client's connection may serve another request.
  bool is_head = false;
  bool committed = false;        ///< A byte of an answer went to the client.
  bool close_delimited = false;  ///< Only the connection's end tells the client the answer's.
  bool answer_ended =
      false;  ///< The committed answer told its error itself and is whole on the wire.

 private:
  std::uint64_t prompt_hash_ = 0;
};

}  // namespace lmb::proxy
