#pragma once

namespace CLI {
class App;
}

namespace lmb::app {

/// Adds the subcommands status, drain and undrain; their callbacks store their results in
/// `exit_code`, which must outlive the parsing.
void add_admin_commands(CLI::App& program, int& exit_code);

}  // namespace lmb::app
