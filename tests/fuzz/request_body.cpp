// A request's body: its facts, and that a model written in its place changes nothing else.
#include <string>
#include <string_view>

#include "input.hpp"
#include "lmb/base/assert.hpp"
#include "lmb/protocol/request_facts.hpp"

namespace lmb::fuzz {
namespace {

Result<protocol::RequestFacts> facts_of(std::string body, protocol::Dialect dialect) {
  const auto size = body.size();
  body.append(protocol::json_padding, ' ');
  return protocol::inspect_request(std::string_view(body).substr(0, size), dialect);
}

}  // namespace
}  // namespace lmb::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lmb;
  fuzz::Input input(data, size);
  const auto dialect = static_cast<protocol::Dialect>(input.below(7));
  const std::string body = input.rest();
  const auto facts = fuzz::facts_of(body, dialect);
  if (!facts) {
    LMB_ASSERT(facts.error().kind() == ErrorKind::bad_json ||
               facts.error().kind() == ErrorKind::bad_model);
    return 0;
  }
  LMB_ASSERT(!facts->model.empty() && facts->model.size() <= protocol::model_bytes_max);
  LMB_ASSERT(facts->previous_response.size() <= protocol::response_id_bytes_max);
  LMB_ASSERT(facts->model_size >= 3 && facts->model_begin + facts->model_size <= body.size());
  LMB_ASSERT(body[facts->model_begin] == '"');
  LMB_ASSERT(body[facts->model_begin + facts->model_size - 1] == '"');
  const std::string rewritten = body.substr(0, facts->model_begin) + R"("other:2")" +
                                body.substr(facts->model_begin + facts->model_size);
  const auto again = fuzz::facts_of(rewritten, dialect);
  LMB_ASSERT(again.has_value());
  LMB_ASSERT(again->model == "other:2" && again->model_begin == facts->model_begin);
  LMB_ASSERT(again->stream == facts->stream && again->include_usage == facts->include_usage);
  LMB_ASSERT(again->prompt_bytes == facts->prompt_bytes && again->acts == facts->acts);
  LMB_ASSERT(again->max_tokens == facts->max_tokens);
  LMB_ASSERT(again->previous_response == facts->previous_response);
  return 0;
}
