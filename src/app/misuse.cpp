#include "misuse.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string_view>
#include <vector>

#include "lmb/config/edit_distance.hpp"

namespace lmb::app {
namespace {

/// Longer words are no misspellings, and comparing them would take long.
constexpr std::size_t word_length_max = 64;

std::vector<std::string> commands_of(const CLI::App& program) {
  std::vector<std::string> names;
  for (const auto* command : program.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

std::vector<std::string> options_of(const CLI::App& command) {
  std::vector<std::string> names;
  for (const auto* option : command.get_options()) {
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

/// "; did you mean 'x'?", or nothing when none is near.
std::string suggestion(std::string_view word, const std::vector<std::string>& known) {
  if (word.size() > word_length_max) return {};
  const auto distance = [word](const std::string& name) {
    return config::edit_distance(word, name);
  };
  const auto nearest =
      std::min_element(known.begin(), known.end(),
                       [&](const auto& a, const auto& b) { return distance(a) < distance(b); });
  if (nearest == known.end() || !config::near(distance(*nearest), *nearest)) return {};
  return "; did you mean '" + *nearest + "'?";
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

/// What came first says most: an option comes before what may be its value.
std::string culprit_of(const std::vector<std::string>& extra) {
  const auto& word = extra.front();
  return word.starts_with('-') ? word.substr(0, word.find('=')) : word;
}

std::string describe_extra(const CLI::App& command, const std::string& word, bool at_top) {
  if (word.starts_with('-')) {
    return "no option '" + word + "'" + suggestion(word, options_of(command));
  }
  if (!at_top) return "'" + word + "' is not expected here";
  const auto commands = commands_of(command);
  const auto meant = suggestion(word, commands);
  return "no command '" + word + "'" + (meant.empty() ? ";" : meant) +
         " the commands are: " + joined(commands);
}

}  // namespace

std::string describe_misuse(const CLI::App& program, const CLI::ParseError& error) {
  const auto used = program.get_subcommands();
  const bool at_top = used.empty() || !program.remaining().empty();
  const CLI::App& command = at_top ? program : *used.front();
  const auto extra = command.remaining();
  auto name = program.get_name();
  if (!at_top) name += " " + command.get_name();
  const std::string what =
      extra.empty() ? error.what() : describe_extra(command, culprit_of(extra), at_top);
  return name + ": " + what + "\nSee " + name + " --help.";
}

}  // namespace lmb::app
