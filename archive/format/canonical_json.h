// The JSON profile of everything that is signed, logged or sent between machines: RFC 8785 with ASCII keys, and only
// strings, integers below 2^53, booleans, arrays and objects. Pure. See docs/formats/canonical-json.md.
#ifndef GREFFE_ARCHIVE_FORMAT_CANONICAL_JSON_H
#define GREFFE_ARCHIVE_FORMAT_CANONICAL_JSON_H

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "archive/base/clock.h"
#include "archive/base/result.h"
#include "archive/format/digest.h"

namespace greffe {

// A JSON value. Reading a member that is absent or of another type is an Error that names the key.
class Json {
 public:
  using Array = std::vector<Json>;
  using Object = std::map<std::string, Json, std::less<>>;  // sorted by bytes = RFC 8785 order for ASCII keys

  Json() : value_(Object{}) {}
  Json(bool value) : value_(value) {}
  Json(std::int64_t value) : value_(value) {}
  Json(int value) : value_(std::int64_t{value}) {}
  Json(std::uint64_t value) : value_(static_cast<std::int64_t>(value)) {}
  Json(std::string value) : value_(std::move(value)) {}
  Json(std::string_view value) : value_(std::string(value)) {}
  Json(const char* value) : value_(std::string(value)) {}
  Json(Array value) : value_(std::move(value)) {}
  Json(Object value) : value_(std::move(value)) {}
  Json(const Digest& value) : value_(value.hex()) {}
  Json(UtcTime value) : value_(to_text(value)) {}

  const bool* as_bool() const { return std::get_if<bool>(&value_); }
  const std::int64_t* as_integer() const { return std::get_if<std::int64_t>(&value_); }
  const std::string* as_string() const { return std::get_if<std::string>(&value_); }
  const Array* as_array() const { return std::get_if<Array>(&value_); }
  const Object* as_object() const { return std::get_if<Object>(&value_); }
  Array* as_array() { return std::get_if<Array>(&value_); }
  Object* as_object() { return std::get_if<Object>(&value_); }

  // Members of an object. find: nullptr when absent or when this is not an object.
  const Json* find(std::string_view key) const;
  bool has(std::string_view key) const { return find(key) != nullptr; }
  Result<std::string> string(std::string_view key) const;
  Result<std::int64_t> integer(std::string_view key) const;
  Result<std::uint64_t> size(std::string_view key) const;  // an integer >= 0
  Result<bool> boolean(std::string_view key) const;
  Result<Digest> digest(std::string_view key) const;
  Result<UtcTime> utc(std::string_view key) const;
  Result<Array> array(std::string_view key) const;
  Result<Json> object(std::string_view key) const;
  Result<std::vector<std::string>> strings(std::string_view key) const;

  // Makes this an object if it is not one.
  Json& set(std::string key, Json value);
  Json& push(Json value);  // makes this an array if it is not one

  bool operator==(const Json&) const = default;

 private:
  std::variant<bool, std::int64_t, std::string, Array, Object> value_;
};

constexpr int kMaxJsonDepth = 16;

// The one byte string that stands for this value.
std::string write_json(const Json& value);
// Any JSON text of the profile: white space and key order are free; duplicate keys, floats, null, exponents, |n| >=
// 2^53, depth > 16, keys that are not ASCII, lone surrogates and invalid UTF-8 are refused with the place.
Result<Json> parse_json(std::string_view text);
// The same, and `text` is exactly what write_json gives.
Result<Json> parse_canonical_json(std::string_view text);

// Every digest under a key named "sha256" or ending in "_sha256", at any depth: the objects that an entry or a
// document names (DESIGN section 4).
std::vector<Digest> named_objects(const Json& value);

}  // namespace greffe

#endif
