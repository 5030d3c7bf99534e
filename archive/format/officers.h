// The officers of an archive, as its main log names them, and what they sign together. Pure. See docs/formats/main-log.md.
#ifndef GREFFE_ARCHIVE_FORMAT_OFFICERS_H
#define GREFFE_ARCHIVE_FORMAT_OFFICERS_H

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "archive/format/entries.h"

namespace greffe {

constexpr std::size_t kOfficersNeeded = 2;

// Filled with the `key` entries of one main log, in rising order. A value.
class Officers {
 public:
  // Whether take() would learn anything from this entry. Far quicker than reading it as JSON.
  static bool concerns(std::string_view entry) { return entry.find("\"role\":\"officer\"") != std::string_view::npos; }
  void take(const KeyEntry& entry);
  // An entry of any kind, as it lies in the log. One that cannot be read names nobody.
  void take(std::string_view entry);

  // ok: each of `names` is an officer now and signed exactly this text, in this order, and at least two keys are among them. denied
  // with whose signature is wrong; `what` says in an error what was to be ordered.
  Status check(std::string_view statement, const std::vector<std::string>& names, const std::vector<Signature>& signatures,
               std::string_view what) const;
  const std::map<std::string, PublicKey>& all() const { return keys_; }

 private:
  std::map<std::string, PublicKey> keys_;  // by name, those who are officers now
};

}  // namespace greffe

#endif
