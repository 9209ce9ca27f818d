#include "program.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <fstream>
#include <utility>

#include "support/daemon.hpp"

namespace lmb::test {
namespace {

/// What a program started by a shell finds. Only calls that are safe after a fork of a process with
/// threads.
[[noreturn]] void become(char* const* arguments, int output, rlim_t descriptors_max) {
  for (const int number : {SIGHUP, SIGUSR1, SIGPIPE, SIGTERM, SIGINT}) std::signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  constexpr int highest = 1024;
  for (int descriptor = STDERR_FILENO + 1; descriptor < highest; ++descriptor) ::close(descriptor);
  if (descriptors_max > 0) {
    const rlimit limit{descriptors_max, descriptors_max};
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) ::_exit(126);
  }
  ::execv(arguments[0], arguments);
  ::_exit(127);
}

}  // namespace

Program::Pipe Program::pipe_of_output() {
  Pipe ends{};
  EXPECT_EQ(::pipe(ends.data()), 0);
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return ends;
}

Program::Program(const std::vector<std::string>& arguments, std::uint64_t descriptors_max)
    : Program(arguments, descriptors_max, pipe_of_output()) {}

Program::Program(const std::vector<std::string>& arguments, std::uint64_t descriptors_max,
                 Pipe output)
    : output_descriptor_(output[0]) {
  std::vector<std::string> words{LMB_PROGRAM};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (auto& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  process_ = ::fork();
  if (process_ == 0) become(pointers.data(), output[1], descriptors_max);
  EXPECT_GT(process_, 0);
  ::close(output[1]);
}

Program Program::serving(const std::string& config, std::uint64_t descriptors_max, Pipe output) {
  std::string file = ::testing::TempDir() + "lmbalancer-config-XXXXXX";
  ::close(::mkstemp(file.data()));
  std::ofstream(file) << config;
  Program program({"serve", "-c", file}, descriptors_max, output);
  program.config_file_ = file;
  return program;
}

Program Program::serving(const std::string& config, std::uint64_t descriptors_max) {
  return serving(config, descriptors_max, pipe_of_output());
}

Program Program::serving_unheard(const std::string& config) {
  const auto output = pipe_of_output();
  ::fcntl(output[1], F_SETFL, O_NONBLOCK);
  while (::write(output[1], "\n", 1) == 1) {
  }
  ::fcntl(output[1], F_SETFL, 0);
  return serving(config, 0, output);
}

void Program::rewrite_config(const std::string& config) const {
  std::ofstream(config_file_) << config;
}

Program::Program(Program&& other) noexcept
    : process_(std::exchange(other.process_, -1)),
      output_descriptor_(std::exchange(other.output_descriptor_, -1)),
      output_(std::move(other.output_)),
      config_file_(std::exchange(other.config_file_, {})),
      end_(other.end_) {}

Program::~Program() {
  if (process_ > 0 && !end_) {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
  if (output_descriptor_ >= 0) ::close(output_descriptor_);
  if (!config_file_.empty()) ::unlink(config_file_.c_str());
}

void Program::read_output() {
  std::array<char, 4096> bytes{};
  while (output_descriptor_ >= 0) {
    const auto count = ::read(output_descriptor_, bytes.data(), bytes.size());
    if (count <= 0) return;
    output_.append(bytes.data(), static_cast<std::size_t>(count));
  }
}

const std::string& Program::output() {
  read_output();
  return output_;
}

std::uint16_t Program::port() {
  const std::string before = "listening on http://127.0.0.1:";
  const bool told = eventually([&] {
    const auto at = output().find(before);
    return (at != std::string::npos && output_.find('\n', at) != std::string::npos) || !running();
  });
  const auto at = output().find(before);
  EXPECT_TRUE(told && at != std::string::npos) << output_;
  if (at == std::string::npos) return 0;
  return static_cast<std::uint16_t>(std::stoi(output_.substr(at + before.size())));
}

void Program::close_output() {
  ::close(std::exchange(output_descriptor_, -1));
}

void Program::signal(int number) const {
  EXPECT_EQ(::kill(process_, number), 0);
}

bool Program::running() {
  if (end_) return false;
  int status = 0;
  if (::waitpid(process_, &status, WNOHANG) == 0) return true;
  end_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return false;
}

std::optional<int> Program::wait_end() {
  eventually([this] {
    read_output();
    return !running();
  });
  read_output();
  return end_;
}

}  // namespace lmb::test
