#include "archive/base/config.h"

#include <fmt/format.h>

#include <set>
#include <toml++/toml.h>

namespace greffe {

constexpr std::uint64_t kMaxConfigBytes = 1024 * 1024;

struct Config::State {
  toml::table table;
  std::string path;
  std::string prefix;  // "listen." inside [listen]
  std::set<std::string, std::less<>> asked;

  std::string place(std::string_view key) const {
    const toml::node* node = table.get(key);
    const auto line = node != nullptr ? node->source().begin.line : table.source().begin.line;
    return fmt::format("{} line {}, key {}{}", path, line, prefix, key);
  }
  const toml::node* ask(std::string_view key) {
    asked.emplace(key);
    return table.get(key);
  }
};

Config::Config(std::unique_ptr<State> state) : state_(std::move(state)) {}
Config::Config(Config&&) noexcept = default;
Config& Config::operator=(Config&&) noexcept = default;
Config::~Config() = default;

Result<Config> Config::load(FileSystem& files, const std::string& path) {
  const Bytes bytes = GREFFE_TRY(files.read_file(path, kMaxConfigBytes));
  return parse(as_text(bytes), path);
}

Result<Config> Config::parse(std::string_view text, const std::string& path_for_messages) {
  auto state = std::make_unique<State>();
  state->path = path_for_messages;
  try {
    state->table = toml::parse(text, path_for_messages);
  } catch (const toml::parse_error& error) {
    return fail(Errc::invalid, fmt::format("{} line {}: {}", path_for_messages, error.source().begin.line,
                                           error.description()));
  }
  return Config(std::move(state));
}

std::vector<std::string> Config::asked() const { return {state_->asked.begin(), state_->asked.end()}; }

bool Config::has(std::string_view key) const { return state_->table.contains(key); }

Result<std::string> Config::string(std::string_view key) {
  const toml::node* node = state_->ask(key);
  if (node == nullptr) {
    return fail(Errc::invalid, fmt::format("{}: the key {}{} is missing", state_->path, state_->prefix, key));
  }
  const auto value = node->value<std::string>();
  if (!value || !node->is_string()) return fail(Errc::invalid, state_->place(key) + ": must be a text in quotes");
  return *value;
}

Result<std::string> Config::string_or(std::string_view key, std::string_view fallback) {
  if (state_->ask(key) == nullptr) return std::string(fallback);
  return string(key);
}

Result<std::int64_t> Config::integer_or(std::string_view key, std::int64_t fallback, std::int64_t least,
                                        std::int64_t most) {
  const toml::node* node = state_->ask(key);
  if (node == nullptr) return fallback;
  const auto value = node->value_exact<std::int64_t>();
  if (!value || *value < least || *value > most) {
    return fail(Errc::invalid, fmt::format("{}: must be a whole number from {} to {}", state_->place(key), least, most));
  }
  return *value;
}

Result<bool> Config::boolean_or(std::string_view key, bool fallback) {
  const toml::node* node = state_->ask(key);
  if (node == nullptr) return fallback;
  const auto value = node->value_exact<bool>();
  if (!value) return fail(Errc::invalid, state_->place(key) + ": must be true or false");
  return *value;
}

Result<std::vector<std::string>> Config::strings_or_none(std::string_view key) {
  const toml::node* node = state_->ask(key);
  std::vector<std::string> out;
  if (node == nullptr) return out;
  const toml::array* array = node->as_array();
  if (array == nullptr) return fail(Errc::invalid, state_->place(key) + ": must be a list of texts");
  for (const toml::node& element : *array) {
    const auto value = element.value_exact<std::string>();
    if (!value) return fail(Errc::invalid, state_->place(key) + ": must be a list of texts");
    out.push_back(*value);
  }
  return out;
}

Result<std::vector<Config>> Config::tables(std::string_view key) {
  const toml::node* node = state_->ask(key);
  std::vector<Config> out;
  if (node == nullptr) return out;
  const toml::array* array = node->as_array();
  if (array == nullptr || !array->is_array_of_tables()) {
    return fail(Errc::invalid, state_->place(key) + ": must be written as [[" + std::string(key) + "]]");
  }
  for (const toml::node& element : *array) {
    auto below = std::make_unique<State>();
    below->table = *element.as_table();
    below->path = state_->path;
    below->prefix = fmt::format("{}{}[{}].", state_->prefix, key, out.size());
    out.push_back(Config(std::move(below)));
  }
  return out;
}

Result<Config> Config::table(std::string_view key) {
  const toml::node* node = state_->ask(key);
  auto below = std::make_unique<State>();
  below->path = state_->path;
  below->prefix = fmt::format("{}{}.", state_->prefix, key);
  if (node != nullptr) {
    if (!node->is_table()) return fail(Errc::invalid, state_->place(key) + ": must be written as [" + std::string(key) + "]");
    below->table = *node->as_table();
  }
  return Config(std::move(below));
}

Status Config::refuse_unknown() const {
  for (const auto& [key, node] : state_->table) {
    if (!state_->asked.contains(key.str())) {
      return fail(Errc::invalid, state_->place(key.str()) + ": unknown key; correct the spelling or take it out");
    }
  }
  return ok();
}

std::string Config::path_from_here(const std::string& path) const {
  return path.starts_with("/") ? path : join(parent_of(state_->path), path);
}

}  // namespace greffe
