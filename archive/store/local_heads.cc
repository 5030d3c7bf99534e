#include "archive/store/local_heads.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "archive/format/merkle.h"
#include "archive/format/names.h"
#include "archive/format/signed_note.h"
#include "archive/format/tiles.h"
#include "archive/store/log_files.h"
#include "archive/store/placement.h"

namespace greffe::store {
namespace {

constexpr unsigned kHeadMode = 0640;
constexpr std::string_view kCheckpointName = "/checkpoint";

std::optional<std::uint64_t> size_line(std::string_view text) {
  const std::size_t first = text.find('\n');
  if (first == std::string_view::npos) return {};
  const std::size_t second = std::min(text.find('\n', first + 1), text.size());
  const auto size = parse_decimal(text.substr(first + 1, second - first - 1));
  if (!size) return {};
  return *size;
}

Digest hash_over(std::span<const Digest> hashes) {
  TreeEdge edge;
  for (const Digest& hash : hashes) edge.append(hash);
  return edge.root();
}

// The signed part: what two heads of one size have in common.
std::string_view body_of(std::string_view text) { return text.substr(0, text.find("\n\n")); }

}  // namespace

std::mutex& LocalHeads::mutex_of(std::string_view key) {
  return mutexes_[std::hash<std::string_view>{}(key) % mutexes_.size()];
}

LocalHeads::Survey LocalHeads::survey(const std::string& key) {
  Survey out;
  // A volume that was never seen may be a home of this log, so its silence counts.
  out.unanswered = static_cast<unsigned>(pool_.never_seen());
  const std::vector<Volume*> homes = pool_.homes(key);
  for (Volume* volume : pool_.ranked(placement_key(key))) {
    const bool is_home = std::find(homes.begin(), homes.end(), volume) != homes.end();
    auto bytes = volume->readable() ? pool_.files.read_file(volume->file(key), kMaxNoteBytes)
                                    : Result<Bytes>(fail(Errc::io_error, volume->path() + " is missing"));
    if (!bytes && bytes.error().code == Errc::not_found) continue;  // an answer too: it holds none
    std::string problem = bytes ? std::string() : bytes.error().message;
    if (bytes && bytes->empty()) problem = volume->file(key) + " is empty";
    if (bytes && pool_.head_is_good && !pool_.head_is_good(key, as_text(*bytes))) {
      problem = volume->file(key) + " is not a head that we signed";
    }
    if (problem.empty()) {
      out.copies.push_back({volume, std::string(as_text(*bytes))});
      continue;
    }
    out.trouble += problem + "; ";
    // One that is being emptied may be the only one that took the last swap, until every head was read once more.
    if (is_home || volume->duty() == VolumeDuty::draining) ++out.unanswered;
  }
  return out;
}

bool LocalHeads::has_its_stage(const std::string& key, std::string_view text) {
  const auto head = parse_signed_checkpoint(text);
  if (!head) return false;
  const std::string log_path = key.substr(0, key.size() - kCheckpointName.size());
  for (const auto& volume : pool_.volumes) {
    if (!volume->readable()) continue;
    const auto names = pool_.files.list(volume->file(log_path + "/stage"));
    if (!names) continue;
    for (const std::string& name : *names) {
      const auto stage = parse_stage_name(name);
      if (stage && stage->size == head->checkpoint.size && stage->root == head->checkpoint.root) return true;
    }
  }
  return false;
}

// A finished log has no stage; its incomplete tiles lead to its root.
bool LocalHeads::is_finished(const std::string& key, std::string_view text) {
  const auto head = parse_signed_checkpoint(text);
  if (!head) return false;
  const std::string log_path = key.substr(0, key.size() - kCheckpointName.size());
  const Checkpoint& checkpoint = head->checkpoint;
  std::vector<Digest> subtrees;
  for (unsigned level = 7; level-- > 0;) {
    const unsigned width = partial_width(level, checkpoint.size);
    if (width == 0) continue;
    const TileName name{false, level, checkpoint.size >> (8 * (level + 1)), width};
    const std::vector<Digest> hashes = tile_of(log_path + "/" + name.path(), width);
    if (hashes.empty()) return false;
    std::size_t at = 0;
    for (std::size_t part = kTileWidth / 2; part > 0; part /= 2) {
      if ((width & part) == 0) continue;
      subtrees.push_back(hash_over(std::span(hashes).subspan(at, part)));
      at += part;
    }
  }
  const auto edge = TreeEdge::from_subtrees(checkpoint.size, std::move(subtrees));
  return edge && edge->root() == checkpoint.root;
}

// Of whichever volume has it whole; empty: none.
std::vector<Digest> LocalHeads::tile_of(const std::string& key, unsigned width) {
  for (const auto& volume : pool_.volumes) {
    const auto bytes = volume->readable() ? pool_.files.read_file(volume->file(key), kMaxNoteBytes) : Result<Bytes>(fail(Errc::not_found, key));
    auto hashes = bytes ? parse_tile(*bytes) : Result<std::vector<Digest>>(bytes.error());
    if (hashes && hashes->size() == width) return *std::move(hashes);
  }
  return {};
}

std::optional<std::string> LocalHeads::newest(const std::string& key, const Survey& survey) {
  struct Candidate {
    std::string text;
    std::uint64_t size = 0;
    unsigned count = 0;       // copies with this text
    unsigned body_count = 0;  // copies with the same signed part
    bool parsed = false;
  };
  std::vector<Candidate> candidates;
  for (const Copy& copy : survey.copies) {
    auto same = std::find_if(candidates.begin(), candidates.end(), [&](const auto& c) { return c.text == copy.text; });
    if (same == candidates.end()) {
      const auto size = size_line(copy.text);
      candidates.push_back({copy.text, size.value_or(0), 0, 0, size.has_value()});
      same = candidates.end() - 1;
    }
    ++same->count;
  }
  for (Candidate& candidate : candidates) {
    for (const Copy& copy : survey.copies) {
      if (body_of(copy.text) == body_of(candidate.text)) ++candidate.body_count;
    }
  }
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    if (a.parsed != b.parsed) return a.parsed;
    if (a.size != b.size) return a.size > b.size;
    if (a.body_count != b.body_count) return a.body_count > b.body_count;
    // The same checkpoint with other signatures: a swap that nobody was told about, or damage.
    if (a.count != b.count) return a.count > b.count;
    if (a.text.size() != b.text.size()) return a.text.size() > b.text.size();
    return a.text > b.text;
  });
  if (candidates.empty()) return {};
  if (candidates.size() == 1 || !key.ends_with(kCheckpointName)) return candidates.front().text;
  for (const Candidate& candidate : candidates) {
    const bool agreed = candidate.count >= pool_.settings.write_quorum;
    const bool same_tree = std::any_of(candidates.begin(), candidates.end(), [&](const Candidate& other) {
      return &other != &candidate && body_of(other.text) == body_of(candidate.text);
    });
    const bool sound = parse_signed_checkpoint(candidate.text).has_value();
    if (agreed || (sound && (same_tree || has_its_stage(key, candidate.text) || is_finished(key, candidate.text)))) return candidate.text;
  }
  return candidates.front().text;  // nothing vouches for any of them: whoever reads the log will say what is wrong
}

unsigned LocalHeads::write(const std::string& key, std::string_view text, std::string& trouble) {
  unsigned written = 0;
  for (Volume* volume : pool_.homes(key)) {
    if (!volume->trusted()) continue;
    Status done = volume->ensure_directory(parent_of(key));
    if (done) done = pool_.files.replace(volume->file(key), as_bytes(text), kHeadMode);
    if (done) {
      ++written;
    } else {
      trouble += volume->note_failure(done.error()).message + "; ";
    }
  }
  return written;
}

Result<std::string> LocalHeads::read(std::string_view key_text) {
  GREFFE_TRY(check_log_key(key_text));
  const std::string key(key_text);
  const std::lock_guard lock(mutex_of(key));
  return read_alone(key);
}

Result<std::string> LocalHeads::read_alone(const std::string& key) {
  const Survey found = survey(key);
  // W volumes took every acknowledged head. With W or more unable to answer, none of those that do may be among them.
  if (found.unanswered >= pool_.settings.write_quorum) {
    return fail(Errc::unavailable, fmt::format("{} volumes cannot say what the head {} is: {}", found.unanswered, key,
                                               found.trouble));
  }
  const auto head = newest(key, found);
  if (!head) return fail(Errc::not_found, "there is no " + key);
  const std::vector<Volume*> homes = pool_.homes(key);
  const auto holders = std::count_if(found.copies.begin(), found.copies.end(), [&](const Copy& copy) {
    return copy.text == *head && std::find(homes.begin(), homes.end(), copy.volume) != homes.end();
  });
  const auto held = static_cast<unsigned>(holders);
  if (held == homes.size() || !pool_.may_write()) return *head;
  // A swap that was cut short, or a volume that came back: everybody after this call must see the same head.
  std::string trouble;
  const unsigned written = write(key, *head, trouble);
  if (written < pool_.settings.write_quorum && held < pool_.settings.write_quorum) {
    return fail(Errc::unavailable, fmt::format("the head {} is on {} volumes and needs {}: {}", key, written,
                                               pool_.settings.write_quorum, trouble));
  }
  return *head;
}

Status LocalHeads::swap(std::string_view key_text, std::string_view expected, std::string_view next) {
  GREFFE_TRY(check_log_key(key_text));
  const std::string key(key_text);
  if (!pool_.may_write()) return read_only_pool("cannot change the head " + key);
  if (next.empty() || next.size() > kMaxNoteBytes) return fail(Errc::invalid, "a head has 1 to 65,536 bytes");
  const std::lock_guard lock(mutex_of(key));
  const auto now = read_alone(key);
  if (!now && now.error().code != Errc::not_found) return now.error();
  const std::string current = now ? *now : std::string();
  if (current != expected) return fail(Errc::conflict, "the head " + key + " is another one: read it and decide anew");
  std::string trouble;
  const unsigned written = write(key, next, trouble);
  if (written >= pool_.settings.write_quorum) return ok();
  return fail(Errc::unavailable, fmt::format("the new head {} is on {} volumes and needs {}; whether it holds shows "
                                             "when it is read again: {}",
                                             key, written, pool_.settings.write_quorum, trouble));
}

}  // namespace greffe::store
