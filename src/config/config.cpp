#include "lmb/config/config.hpp"

#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>
#include <utility>
#include <variant>

#include "file_reader.hpp"
#include "json_reader.hpp"
#include "lmb/base/assert.hpp"

namespace lmb::config {
namespace {

/// 64 workers with every key and a page of comments each are a fifth of it.
constexpr std::size_t file_bytes_max = 1024 * 1024;

Parsed failed(std::string message) {
  Parsed parsed;
  parsed.problems.push_back({"", std::move(message)});
  return parsed;
}

std::string reason(int error) {
  return std::generic_category().message(error);
}

}  // namespace

Parsed parse_config(std::string_view text, Environment environment) {
  LMB_ASSERT(environment != nullptr);
  if (text.size() > file_bytes_max) return failed("larger than 1 MiB: this is no config file");
  auto tree = read_json(text);
  if (auto* error = std::get_if<SyntaxError>(&tree)) return failed(std::move(error->message));
  Parsed parsed;
  ProblemList problems;
  FileReader(parsed.config, environment, problems).read(std::get<Node>(tree));
  // Half a config, with secrets in it, is of no use to anybody.
  if (!problems.empty()) parsed.config = Config{};
  parsed.problems = std::move(problems).take();
  return parsed;
}

Parsed load_config(const std::string& file, Environment environment) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> stream(std::fopen(file.c_str(), "rb"),
                                                               &std::fclose);
  if (!stream) return failed("cannot be opened: " + reason(errno));
  std::string text(file_bytes_max + 1, '\0');
  errno = 0;
  text.resize(std::fread(text.data(), 1, text.size(), stream.get()));
  if (std::ferror(stream.get()) != 0) return failed("cannot be read: " + reason(errno));
  return parse_config(text, environment);
}

std::string describe(const std::vector<Problem>& problems, std::string_view file) {
  std::string text;
  for (const auto& problem : problems) {
    text += file;
    text += ": ";
    if (!problem.path.empty()) text += problem.path + ": ";
    text += problem.message + "\n";
  }
  return text;
}

}  // namespace lmb::config
