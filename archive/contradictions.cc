#include "archive/contradictions.h"

#include <algorithm>

#include "archive/format/canonical_json.h"

namespace greffe::archive {
namespace {

constexpr std::uint64_t kMaxStandingBytes = 2 * kMaxNoteBytes + 8192;
constexpr std::uint64_t kMaxAcceptedBytes = 1024 * 1024;
constexpr std::size_t kMaxAccepted = 1000;  // each is an order of an operator; the oldest are forgotten first

Result<Contradiction> parse_standing(std::string_view text) {
  const Json json = GREFFE_TRY(parse_json(text));
  Contradiction out;
  out.who = GREFFE_TRY(json.string("who"));
  const std::string note = GREFFE_TRY(json.string("checkpoint"));
  out.checkpoint = GREFFE_TRY(parse_signed_checkpoint(note));
  return out;
}

std::string accepted_text(const std::vector<Checkpoint>& accepted) {
  Json::Array list;
  for (const Checkpoint& tree : accepted) list.push_back(Json().set("origin", tree.origin).set("root", tree.root).set("size", tree.size));
  Json json;
  json.set("accepted", std::move(list)).set("v", 1);
  return write_json(json) + "\n";
}

Result<std::vector<Checkpoint>> parse_accepted(std::string_view text) {
  const Json json = GREFFE_TRY(parse_json(text));
  const Json::Array list = GREFFE_TRY(json.array("accepted"));
  std::vector<Checkpoint> out;
  for (const Json& one : list) {
    Checkpoint tree;
    tree.origin = GREFFE_TRY(one.string("origin"));
    tree.root = GREFFE_TRY(one.digest("root"));
    tree.size = GREFFE_TRY(one.size("size"));
    out.push_back(std::move(tree));
  }
  return out;
}

}  // namespace

Contradictions::Contradictions(FileSystem& files, const std::string& state_directory)
    : files_(files), standing_path_(join(state_directory, "contradiction.json")), accepted_path_(join(state_directory, "accepted-heads.json")) {}

Status Contradictions::load() {
  const auto standing = files_.read_file(standing_path_, kMaxStandingBytes);
  if (!standing && standing.error().code != Errc::not_found) return standing.error();
  if (standing) {
    auto parsed = parse_standing(as_text(*standing));
    if (!parsed) return parsed.error().within(standing_path_ + " says why this archive must not sign, and cannot be read");
    standing_ = std::move(*parsed);
    is_stored_ = true;
  }
  const auto accepted = files_.read_file(accepted_path_, kMaxAcceptedBytes);
  if (!accepted && accepted.error().code != Errc::not_found) return accepted.error();
  if (accepted) {
    auto parsed = parse_accepted(as_text(*accepted));
    if (!parsed) return parsed.error().within(accepted_path_ + " says what an operator accepted, and cannot be read");
    accepted_ = std::move(*parsed);
  }
  return ok();
}

Status Contradictions::stand(Contradiction contradiction) {
  if (!standing_) standing_ = std::move(contradiction);
  if (is_stored_) return ok();
  Json json;
  json.set("checkpoint", standing_->checkpoint.note.write()).set("v", 1).set("who", standing_->who);
  GREFFE_TRY(files_.replace(standing_path_, as_bytes(write_json(json) + "\n"), 0600));
  is_stored_ = true;
  return ok();
}

Status Contradictions::settle() {
  if (!standing_) return ok();
  const Status removed = files_.remove(standing_path_);
  if (!removed && removed.error().code != Errc::not_found) return removed;
  GREFFE_TRY(files_.sync_directory(parent_of(standing_path_)));
  standing_.reset();
  is_stored_ = false;
  return ok();
}

Status Contradictions::accept(const Checkpoint& tree) {
  if (is_accepted(tree)) return ok();
  std::vector<Checkpoint> next = accepted_;
  next.push_back(tree);
  if (next.size() > kMaxAccepted) next.erase(next.begin());
  GREFFE_TRY(files_.replace(accepted_path_, as_bytes(accepted_text(next)), 0600));
  accepted_ = std::move(next);
  return ok();
}

bool Contradictions::is_accepted(const Checkpoint& tree) const { return std::find(accepted_.begin(), accepted_.end(), tree) != accepted_.end(); }

}  // namespace greffe::archive
