#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lmb::peers {

/// The whole answers (head and body) of the stub worker, made once. Shapes and header fields are
/// LM Studio's: model lists of /v1, /api/v0 and /api/v1, the greeting, and status 200 with an error
/// text for every unknown path.
class StubAnswers {
 public:
  /// `parallel` is the number of slots that the one loaded instance states.
  explicit StubAnswers(unsigned parallel);

  /// The answer to a finished chat request that is not streamed; its body has 606 bytes.
  [[nodiscard]] std::string_view chat() const { return chat_; }
  /// The answer to a GET, or to anything else that is not a chat request.
  [[nodiscard]] std::string_view other(std::string_view method, std::string_view target);
  /// The head of a streamed answer.
  [[nodiscard]] std::string_view stream_head() const { return stream_head_; }
  /// What is said to a request that cannot be parsed; the connection is closed afterwards.
  [[nodiscard]] std::string_view malformed() const { return malformed_; }

 private:
  struct Route {
    std::string path;
    std::string answer;
  };

  std::string date_;
  std::string chat_;
  std::string stream_head_;
  std::string malformed_;
  std::vector<Route> routes_;
  std::string unexpected_;
};

/// A complete JSON answer with Content-Length and the fields LM Studio sends.
[[nodiscard]] std::string json_answer(std::string_view status, std::string_view date,
                                      std::string_view body);

}  // namespace lmb::peers
