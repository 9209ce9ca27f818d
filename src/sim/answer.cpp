#include "answer.hpp"

#include <nlohmann/json.hpp>

#include "completion_answer.hpp"
#include "messages_answer.hpp"
#include "model_lists.hpp"
#include "native_answer.hpp"
#include "responses_answer.hpp"
#include "text.hpp"

namespace lmb::sim {

namespace {

constexpr std::size_t embedding_dimensions = 768;

}  // namespace

Dialect dialect_of(AnswerForm form) {
  switch (form) {
    case AnswerForm::chat:
    case AnswerForm::completion:
    case AnswerForm::v0_chat:
    case AnswerForm::v0_completion:
      break;
    case AnswerForm::responses:
      return Dialect::responses;
    case AnswerForm::messages:
      return Dialect::anthropic;
    case AnswerForm::native_chat:
      return Dialect::native;
  }
  return Dialect::openai;
}

std::string AnswerText::joined(std::size_t first, std::size_t last) const {
  std::string out;
  for (std::size_t i = first; i < last; ++i) out += tokens[i];
  return out;
}

std::unique_ptr<Answer> make_answer_of(AnswerForm form, const AnswerText& text) {
  switch (dialect_of(form)) {
    case Dialect::openai:
      break;
    case Dialect::responses:
      return std::make_unique<ResponsesAnswer>(text);
    case Dialect::anthropic:
      return std::make_unique<MessagesAnswer>(text);
    case Dialect::native:
      return std::make_unique<NativeAnswer>(text);
  }
  return std::make_unique<CompletionAnswer>(form, text);
}

std::string embedding_answer(const ModelFacts& model, const std::vector<std::string>& inputs) {
  using ordered = nlohmann::ordered_json;
  ordered data = ordered::array();
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    ordered entry;
    entry["object"] = "embedding";
    entry["embedding"] = make_embedding(inputs[i], embedding_dimensions);
    entry["index"] = i;
    data.push_back(std::move(entry));
  }
  ordered out;
  out["object"] = "list";
  out["data"] = std::move(data);
  out["model"] = variant_of(model);
  out["usage"]["prompt_tokens"] = 0;  // As LM Studio reports it.
  out["usage"]["total_tokens"] = 0;
  return out.dump();
}

}  // namespace lmb::sim
