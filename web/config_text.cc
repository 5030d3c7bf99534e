#include "web/config_text.h"

#include <algorithm>

namespace greffe::web {
namespace {

std::string_view key_of(std::string_view line) {
  const std::string_view key = line.substr(0, line.find('='));
  const std::size_t first = key.find_first_not_of(" \t");
  return first == std::string_view::npos ? "" : key.substr(first, key.find_last_not_of(" \t") - first + 1);
}

// How many arrays a line opens and does not close; what stands in quotes does not count.
int opened_by(std::string_view line) {
  int out = 0;
  char quote = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote != 0) {
      if (c == '\\' && quote == '"') ++i;
      else if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '#') {
      break;
    } else if (c == '[' || c == ']') {
      out += c == '[' ? 1 : -1;
    }
  }
  return out;
}

}  // namespace

std::string with_other_keys(std::string_view config, const std::set<std::string, std::less<>>& keys, std::string_view lines) {
  std::string out(lines);  // first: behind a table they would belong to it
  int open = 0;
  bool top = true;
  while (!config.empty()) {
    const std::size_t end = std::min(config.find('\n'), config.size());
    const std::string_view line = config.substr(0, end);
    config.remove_prefix(std::min(end + 1, config.size()));
    const std::string_view key = key_of(line);
    const bool goes_on = open > 0;
    if (!goes_on && key.starts_with('[')) top = false;
    const bool ours = top && keys.contains(key);
    if (goes_on || ours) open += opened_by(line);
    if (!goes_on && !ours) out.append(line).append("\n");
  }
  return out;
}

}  // namespace greffe::web
