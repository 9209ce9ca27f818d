#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "generation_request.hpp"

namespace lmb::sim {

/// Reading a request's JSON; errors are in LM Studio's words as far as they are known.

OrProblem<nlohmann::json> parse_object(std::string_view body);

/// A message's or prompt's text: a string, or the text parts of an array.
std::optional<std::string> text_of(const nlohmann::json& content);

/// True only for `true`.
bool flag(const nlohmann::json& object, const char* name);

/// `model` and `stream`, and what LM Studio adds to any of its routes (`ttl`).
std::optional<Problem> read_common(const nlohmann::json& object, GenerationRequest& out);

/// A limit on tokens, by any of its names; absent, null and -1 mean unlimited.
std::optional<Problem> read_limit(const nlohmann::json& object, const char* name,
                                  GenerationRequest& out);

/// Adds `messages` to the prompt; each needs a role.
std::optional<Problem> read_messages(const nlohmann::json& messages, const char* name,
                                     GenerationRequest& out);

/// Adds one message to the prompt.
void add_message(std::string_view role, std::string_view text, GenerationRequest& out);

/// Sets prompt_tokens from what was added.
void count_prompt(GenerationRequest& out);

}  // namespace lmb::sim
