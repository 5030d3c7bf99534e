// Changing a configuration without losing what a person wrote into it.
#ifndef GREFFE_WEB_CONFIG_TEXT_H
#define GREFFE_WEB_CONFIG_TEXT_H

#include <set>
#include <string>
#include <string_view>

namespace greffe::web {

// The text of a TOML configuration with these lines, first, in the place of whatever it said about these keys of its top level.
std::string with_other_keys(std::string_view config, const std::set<std::string, std::less<>>& keys, std::string_view lines);

}  // namespace greffe::web

#endif
