#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lmb::protocol {

/// A model name in its parts, as LM Studio builds them: publisher/name@quant:instance. All parts
/// but the name may be missing. Views into the text it was split from.
struct ModelName {
  std::string_view publisher;  ///< Before the last '/'; may hold '/' itself.
  std::string_view name;
  std::string_view quant;     ///< After '@', e.g. "4bit".
  std::string_view instance;  ///< After ':', the number of a second or later instance, e.g. "2".
};

/// Splits a name. A ':' is an instance's only before a number of 2 or more without leading zeros
/// (LM Studio calls the second instance of m "m:2"); "llama3:8b" is one name. A text with an empty
/// name
/// ("a/", "@4bit") is one name as a whole.
ModelName split_model_name(std::string_view text) noexcept;

/// True when a request that names `a` may be served by what is called `b`, and the other way round:
/// the names are equal, or equal but for parts that only one of them has. Publishers, quantisations
/// and instances that both name must be equal. Case counts. Symmetric and reflexive, but not
/// transitive: a/m and b/m are both the same as m. An identifier that the operator chose
/// (`lms load --identifier`) is like any other name.
///
///   a                    b                    same
///   qwen/m               qwen/m               yes
///   qwen/m               m                    yes
///   qwen/m               other/m              no
///   m@4bit               m                    yes
///   m@4bit               m@8bit               no
///   m:2                  m                    yes: an instance of the model
///   m:2                  m:3                  no
///   qwen/m               m@4bit               yes
///   my-model             m                    no
///   m:8b                 m                    no
bool same_model(std::string_view a, std::string_view b) noexcept;

/// Names by which a request may mean the model with this key beside the key itself: without the
/// publisher, and the same for each variant; sorted, each once, without the key.
std::vector<std::string> spellings_of_model(std::string_view key,
                                            const std::vector<std::string>& variants);

}  // namespace lmb::protocol
