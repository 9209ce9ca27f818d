#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lmb::test {

/// `lmbalancer` in a process of its own, with signals and descriptors as a shell would give them.
/// The destructor kills what still runs.
class Program {
 public:
  /// `descriptors_max`: as `ulimit -n` sets it; 0 = as this process has it.
  explicit Program(const std::vector<std::string>& arguments, std::uint64_t descriptors_max = 0);
  /// `serve` with this config.
  static Program serving(const std::string& config, std::uint64_t descriptors_max = 0);
  /// `serve` with this config, and with nobody who has read what was written before: its first line
  /// waits until output() is called.
  static Program serving_unheard(const std::string& config);
  Program(Program&& other) noexcept;
  Program& operator=(Program&&) = delete;
  ~Program();

  /// Waits until it says where it listens; 0 when it does not.
  std::uint16_t port();
  /// What it has written to stdout and stderr so far.
  const std::string& output();
  /// Nobody reads its output from now on: what it writes fails.
  void close_output();
  void signal(int number) const;
  /// Writes the config of serving() anew.
  void rewrite_config(const std::string& config) const;
  [[nodiscard]] pid_t process() const noexcept { return process_; }
  [[nodiscard]] bool running();
  /// Waits for its end. Its exit code, or the negative number of the signal that killed it; nothing
  /// when it does not end.
  std::optional<int> wait_end();

 private:
  /// Its output's reading and writing end.
  using Pipe = std::array<int, 2>;
  static Pipe pipe_of_output();
  Program(const std::vector<std::string>& arguments, std::uint64_t descriptors_max, Pipe output);
  static Program serving(const std::string& config, std::uint64_t descriptors_max, Pipe output);
  void read_output();

  pid_t process_ = -1;
  int output_descriptor_ = -1;
  std::string output_;
  std::string config_file_;
  std::optional<int> end_;
};

}  // namespace lmb::test
