#pragma once

#include <string>
#include <string_view>

#include "lmb/sim/error_answer.hpp"

namespace lmb::sim {

/// The bytes of an ErrorAnswer.
struct PlayedError {
  unsigned status = 400;
  bool html = false;
  std::string body;
  std::string message;  ///< What an event inside a stream would say.
};

/// `asked`: method and path of the request, e.g. "GET /health"; `model`: a name for the errors that
/// quote one.
PlayedError play(ErrorAnswer error, std::string_view asked, std::string_view model);

inline constexpr std::string_view crash_message =
    "The model has crashed without additional information. (Exit code: 6)";
inline constexpr std::string_view iteration_message =
    "Error in iterating prediction stream: RuntimeError: Encountered fatal exception in the "
    "backend scheduler";
inline constexpr std::string_view express_page =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Error</title>\n"
    "</head>\n<body>\n<pre>Internal Server Error</pre>\n</body>\n</html>\n";

}  // namespace lmb::sim
