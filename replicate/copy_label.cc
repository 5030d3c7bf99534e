#include "replicate/copy_label.h"

#include "archive/format/canonical_json.h"
#include "archive/format/names.h"

namespace greffe::replicate {
namespace {

constexpr std::size_t kLabelBytesMax = 4096;
constexpr std::int64_t kLabelVersion = 1;

}  // namespace

std::string write_copy_label(const CopyLabel& label) {
  Json json;
  json.set("archive", label.archive).set("began", label.began).set("log_vkey", label.log.text()).set("v", kLabelVersion);
  return write_json(json) + "\n";
}

Result<CopyLabel> parse_copy_label(std::string_view text) {
  if (text.size() > kLabelBytesMax) return fail(Errc::invalid, "the label of a copy is longer than any");
  if (!text.ends_with('\n')) return fail(Errc::invalid, "the label of a copy is cut off");
  const Json json = GREFFE_TRY(parse_canonical_json(text.substr(0, text.size() - 1)));
  const std::int64_t version = GREFFE_TRY(json.integer("v"));
  if (version != kLabelVersion) return fail(Errc::invalid, "the label of a copy is of another version than this program knows");
  CopyLabel out;
  out.archive = GREFFE_TRY(json.string("archive"));
  if (!is_valid_archive_name(out.archive)) return fail(Errc::invalid, "the label of a copy names no archive");
  out.began = GREFFE_TRY(json.utc("began"));
  const std::string log = GREFFE_TRY(json.string("log_vkey"));
  out.log = GREFFE_TRY(parse_verifier_key(log));
  if (out.log.type != KeyType::ed25519 || out.log.name != out.archive) return fail(Errc::invalid, "the key in the label of a copy is not its archive's");
  if (write_copy_label(out) != text) return fail(Errc::invalid, "the label of a copy says more than this program knows");
  return out;
}

}  // namespace greffe::replicate
