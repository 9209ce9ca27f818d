#pragma once

#include <string>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace lmb::app {

/// What is wrong with a command line that `program` refused with `error`, in one line: the command,
/// the word, what is accepted instead, the nearest command or option, and where to read on.
std::string describe_misuse(const CLI::App& program, const CLI::ParseError& error);

}  // namespace lmb::app
