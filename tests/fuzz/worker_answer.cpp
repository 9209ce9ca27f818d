// Whole answers and errors of workers: judged whatever they hold.
#include <string>
#include <string_view>

#include "input.hpp"
#include "lmb/base/assert.hpp"
#include "lmb/protocol/request_facts.hpp"
#include "lmb/protocol/sse_scanner.hpp"
#include "lmb/protocol/worker_answer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lmb;
  fuzz::Input input(data, size);
  const auto dialect = static_cast<protocol::Dialect>(input.below(7));
  constexpr unsigned statuses[] = {200, 201, 400, 401, 403, 404, 413, 429, 500, 503};
  const auto status = statuses[input.below(std::size(statuses))];
  std::string body = input.rest();
  const auto body_size = body.size();
  body.append(protocol::json_padding, '\0');
  const auto view = std::string_view(body).substr(0, body_size);
  const auto verdict = protocol::judge_answer(status, view);
  LMB_ASSERT(status < 500 || verdict != protocol::Verdict::ok);
  LMB_ASSERT(verdict != protocol::Verdict::bad_token || status == 401 || status == 403);
  const auto message = protocol::message_of_answer(view);
  LMB_ASSERT(message.size() <= 512);
  (void)protocol::judge_stream_error(message, view.substr(0, 32));
  (void)protocol::usage_of_answer(view, dialect);
  LMB_ASSERT(protocol::response_id_of_answer(view, dialect).size() <=
             protocol::response_id_bytes_max);
  return 0;
}
