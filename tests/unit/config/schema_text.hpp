#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "key.hpp"

namespace lmb::config {

/// Where the committed files are.
std::string repository_file(const std::string& path);
/// The file's bytes; a test failure and "" when it cannot be read.
std::string read_text(const std::string& path);

/// What the key's field holds in `config`, spelt as the file would: "4m", ["127.0.0.1:8080"], 3.
/// Null for keys whose default is "nothing".
nlohmann::ordered_json value_in(const Key& key, Config& config);

/// The schema that the key table demands; config/lmbalancer.schema.json must be this text.
std::string schema_text();

/// An environment without variables.
const char* no_environment(const char* name);

}  // namespace lmb::config
