#include "archive/verify/log_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "archive/format/names.h"

namespace greffe::verify {
namespace {

constexpr std::uint64_t kMaxBundleBytes = kTileWidth * (2 + kMaxEntryBytes);
constexpr std::uint64_t kMaxStageEntries = 65'536;  // a batch is far smaller; the tail adds at most 255
constexpr std::uint64_t kMaxStageBytes = 256 * 1024 * 1024;

std::vector<Digest> leaves_of(const std::vector<std::string>& entries) {
  std::vector<Digest> out;
  out.reserve(entries.size());
  for (const std::string& entry : entries) out.push_back(leaf_hash(as_bytes(entry)));
  return out;
}

bool is_partial(const std::string& bundle_file) { return bundle_file.find(".p/") != std::string::npos; }

std::size_t agreement(const std::vector<Digest>& leaves, const std::vector<Digest>& hashes) {
  std::size_t same = 0;
  for (std::size_t i = 0; i < std::min(leaves.size(), hashes.size()); ++i) same += leaves[i] == hashes[i];
  return same;
}

}  // namespace

LogFiles::LogFiles(LogName name, std::vector<std::string> folders, Files& files, Report& report)
    : name_(std::move(name)), folders_(std::move(folders)), files_(files), report_(report) {}

void LogFiles::add(Verdict verdict, const char* code, std::string what, const std::string& file,
                   std::optional<std::uint64_t> entry, std::optional<std::uint64_t> entry_end) const {
  Finding f;
  f.verdict = verdict;
  f.code = code;
  f.what = std::move(what);
  f.hearing = name_.hearing;
  f.log = name_.log;
  f.entry = entry;
  f.entry_end = entry_end;
  f.file = file;
  report_.add(std::move(f));
}

std::vector<NoteCopy> LogFiles::checkpoints(const std::string& code) const {
  std::vector<NoteCopy> out;
  for (const std::string& folder : folders_) {
    const std::string file = folder + "/checkpoint";
    const auto text = files_.read_text(file, kMaxNoteBytes);
    if (!text && text.error().code == Errc::not_found) continue;
    if (!text && text.error().code == Errc::io_error) {
      add(Verdict::unreadable, "unreadable", text.error().message, file);
      continue;
    }
    auto note = text ? parse_signed_checkpoint(*text) : Result<SignedCheckpoint>(text.error());
    if (!note) {
      add(Verdict::tampered, code.c_str(), "the checkpoint is not a signed note any more: " + note.error().message, file);
      continue;
    }
    out.push_back({file, std::move(*note)});
  }
  std::stable_sort(out.begin(), out.end(), [](const NoteCopy& a, const NoteCopy& b) {
    return a.signed_checkpoint.checkpoint.size > b.signed_checkpoint.checkpoint.size;
  });
  return out;
}

std::vector<NoteCopy> LogFiles::cosigned(const std::string& code) const {
  std::vector<NoteCopy> out;
  for (const std::string& folder : folders_) {
    const auto names = files_.names_in(folder + "/cosigned");
    if (!names) continue;  // nobody cosigned, or the volume does not hold this log
    for (const std::string& name : *names) {
      const std::string file = folder + "/cosigned/" + name;
      const auto text = files_.read_text(file, kMaxNoteBytes);
      if (!text && text.error().code == Errc::not_found) continue;  // a service may show a name before there is a text
      if (!text && text.error().code == Errc::io_error) {
        add(Verdict::unreadable, "unreadable", text.error().message, file);
        continue;
      }
      auto note = text ? parse_signed_checkpoint(*text) : Result<SignedCheckpoint>(text.error());
      if (!note) {
        add(Verdict::tampered, code.c_str(), "a cosigned checkpoint is not a signed note any more: " + note.error().message,
            file);
        continue;
      }
      out.push_back({file, std::move(*note)});
    }
  }
  return out;
}

Result<std::vector<std::string>> LogFiles::read_entries(const std::string& file, std::uint64_t total, std::size_t skip,
                                                        std::uint64_t count) const {
  const std::uint64_t limit = total <= kTileWidth ? kMaxBundleBytes : kMaxStageBytes;
  Bytes buffer;
  const ByteView bytes = GREFFE_TRY(files_.read_into(file, limit, buffer));
  std::vector<std::string> entries = GREFFE_TRY(parse_entries(bytes, kMaxStageEntries));
  if (entries.size() != total) {
    return fail(Errc::corrupt, fmt::format("it holds {} entries instead of the {} of its name", entries.size(), total));
  }
  const auto begin = entries.begin() + static_cast<std::ptrdiff_t>(skip);
  return std::vector<std::string>(std::make_move_iterator(begin),
                                  std::make_move_iterator(begin + static_cast<std::ptrdiff_t>(count)));
}

void LogFiles::add_copy(const std::string& file, std::uint64_t total, std::size_t skip, std::uint64_t first,
                        std::uint64_t count, std::vector<Copy>& out) const {
  const auto entries = read_entries(file, total, skip, count);
  if (entries) {
    out.push_back({file, skip, leaves_of(*entries)});
  } else if (entries.error().code == Errc::io_error) {
    add(Verdict::unreadable, "unreadable", entries.error().message, file, first, first + count);
  } else if (entries.error().code != Errc::not_found) {
    add(Verdict::tampered, "entry-altered", "a file of log entries was altered: " + entries.error().message, file, first,
        first + count);
  }
}

std::vector<LogFiles::Copy> LogFiles::bundle_copies(std::uint64_t first, std::uint64_t count,
                                                    const Checkpoint& checkpoint) const {
  std::vector<Copy> out;
  for (const std::string& folder : folders_) {
    const std::string full = folder + "/" + TileName{true, 0, first / kTileWidth, 0}.path();
    if (files_.kind_of(full)) {
      add_copy(full, kTileWidth, 0, first, count, out);
    } else if (count < kTileWidth) {
      const TileName partial{true, 0, first / kTileWidth, static_cast<unsigned>(count)};
      add_copy(folder + "/" + partial.path(), count, 0, first, count, out);
    }
  }
  if (out.empty() || count < kTileWidth) add_stage_copies(first, count, checkpoint, out);
  return out;
}

// Entries that are not in a full bundle yet are in the stage of the head.
void LogFiles::add_stage_copies(std::uint64_t first, std::uint64_t count, const Checkpoint& checkpoint,
                                std::vector<Copy>& out) const {
  for (const std::string& folder : folders_) {
    const auto names = files_.names_in(folder + "/stage");
    if (!names) continue;
    for (const std::string& name : *names) {
      const auto stage = parse_stage_name(name);
      if (!stage || stage->first > first || stage->size != checkpoint.size || stage->root != checkpoint.root) continue;
      add_copy(folder + "/stage/" + name, stage->size - stage->first, first - stage->first, first, count, out);
    }
  }
}

std::vector<LogFiles::TileCopy> LogFiles::leaf_tiles(std::uint64_t first, std::uint64_t count) const {
  std::vector<TileCopy> out;
  for (const std::string& folder : folders_) {
    for (const unsigned width : {0u, static_cast<unsigned>(count % kTileWidth)}) {
      const std::string file = folder + "/" + TileName{false, 0, first / kTileWidth, width}.path();
      Bytes buffer;
      const auto bytes = files_.read_into(file, kTileWidth * 32, buffer);
      if (!bytes && bytes.error().code == Errc::not_found) continue;
      auto hashes = bytes ? parse_tile(*bytes) : Result<std::vector<Digest>>(bytes.error());
      if (hashes && hashes->size() < count) hashes = fail(Errc::corrupt, "it is cut short");
      if (hashes) {
        hashes->resize(count);
        out.push_back({file, std::move(*hashes)});
      } else if (hashes.error().code == Errc::io_error) {
        add(Verdict::unreadable, "unreadable", hashes.error().message, file, first);
      } else {
        add(Verdict::tampered, "tile-altered", "a tile of hashes was altered: " + hashes.error().message, file, first);
      }
      break;
    }
  }
  return out;
}

// The copy that most tiles of leaf hashes agree with; at the end of the log the one that leads to the root.
const LogFiles::Copy* LogFiles::choose(const std::vector<Copy>& copies, const std::vector<TileCopy>& tiles, bool is_last,
                                       const Checkpoint& checkpoint) const {
  const Copy* best = nullptr;
  std::size_t best_score = 0;
  for (const Copy& copy : copies) {
    std::size_t score = 1;
    for (const TileCopy& tile : tiles) score += agreement(copy.leaves, tile.hashes);
    if (is_last) {
      TreeEdge edge = edge_;
      for (const Digest& leaf : copy.leaves) edge.append(leaf);
      if (edge.root() == checkpoint.root) score += kTileWidth * (tiles.size() + 1);
    }
    if (score > best_score) {
      best = &copy;
      best_score = score;
    }
  }
  return best;
}

void LogFiles::report_other_copies(std::uint64_t first, const std::vector<Copy>& copies, const Copy& chosen) const {
  for (const Copy& copy : copies) {
    for (std::size_t i = 0; i < copy.leaves.size(); ++i) {
      if (copy.leaves[i] == chosen.leaves[i]) continue;
      add_altered("this copy of a log entry was altered; another volume still has it unaltered", copy, first, i);
      break;
    }
  }
}

void LogFiles::add_altered(std::string what, const Copy& copy, std::uint64_t first, std::size_t i) const {
  Finding f;
  f.code = "entry-altered";
  f.what = std::move(what);
  f.hearing = name_.hearing;
  f.log = name_.log;
  f.entry = first + i;
  f.file = copy.file;
  Bytes buffer;
  const auto bytes = files_.read_into(copy.file, kMaxStageBytes, buffer);
  const auto entries = bytes ? parse_entries(*bytes, kMaxStageEntries) : Result<std::vector<std::string>>(bytes.error());
  if (describe_ && entries && copy.skip + i < entries->size()) describe_(f, (*entries)[copy.skip + i]);
  report_.add(std::move(f));
}

bool LogFiles::take_bundle(std::uint64_t first, std::uint64_t count, const Checkpoint& checkpoint,
                           std::vector<Digest>& leaves) {
  const std::vector<TileCopy> tiles = leaf_tiles(first, count);
  const std::vector<Copy> copies = bundle_copies(first, count, checkpoint);
  const Copy* chosen = choose(copies, tiles, first + count == checkpoint.size, checkpoint);
  if (chosen == nullptr && copies.empty()) {
    add(Verdict::tampered, "entries-missing", "entries of the log are missing from every copy", folders_.front(), first,
        first + count);
  }
  if (chosen == nullptr && tiles.empty()) return false;  // nothing can be said of what follows
  const std::vector<Digest>& hashes = chosen != nullptr ? chosen->leaves : tiles.front().hashes;
  leaves.insert(leaves.end(), hashes.begin(), hashes.end());
  for (const Digest& leaf : hashes) edge_.append(leaf);
  sources_.push_back(chosen != nullptr ? Source{chosen->file, chosen->skip, count} : Source{"", 0, count});
  if (chosen == nullptr) return true;
  report_other_copies(first, copies, *chosen);
  for (const TileCopy& tile : tiles) {
    if (tile.hashes != chosen->leaves) doubts_.push_back({first, *chosen, tile});
  }
  report_.entries += count;
  return true;
}

bool LogFiles::load(const Checkpoint& checkpoint) {
  std::vector<Digest> leaves;
  for (std::uint64_t first = 0; first < checkpoint.size; first += kTileWidth) {
    if (!take_bundle(first, std::min(kTileWidth, checkpoint.size - first), checkpoint, leaves)) return false;
  }
  for (const Digest& leaf : leaves) tree_.append(leaf);
  const bool has_all = std::none_of(sources_.begin(), sources_.end(), [](const Source& s) { return s.file.empty(); });
  whole_ = has_all && tree_.root() == checkpoint.root;
  const bool holds = tree_.root() == checkpoint.root || settle_doubts(checkpoint, std::move(leaves));
  if (holds) check_tiles();
  return holds;
}

// The root is not the one that was signed, and a bundle disagrees with a tile of hashes: when the root holds with the
// tile's hashes, exactly those entries were altered. (When it holds with the bundles, the tile was; check_tiles says so.)
bool LogFiles::settle_doubts(const Checkpoint& checkpoint, std::vector<Digest> leaves) {
  for (const Doubt& doubt : doubts_) {
    for (std::size_t i = 0; i < doubt.bundle.leaves.size(); ++i) {
      if (doubt.bundle.leaves[i] == doubt.tile.hashes[i]) continue;
      leaves[doubt.first + i] = doubt.tile.hashes[i];
      add_altered("a log entry was altered: its hash is not the one in the log's tree", doubt.bundle, doubt.first, i);
    }
  }
  TileTree stored;
  for (const Digest& leaf : leaves) stored.append(leaf);
  if (stored.root() != checkpoint.root) return false;
  tree_ = std::move(stored);
  return true;
}

void LogFiles::visit(const std::function<void(std::uint64_t, std::string_view)>& visit_entry) const {
  visit(0, tree_.size(), [&visit_entry](std::uint64_t index, std::string_view entry) {
    visit_entry(index, entry);
    return true;
  });
}

void LogFiles::visit(std::uint64_t first_wanted, std::uint64_t last, const std::function<bool(std::uint64_t, std::string_view)>& visit_entry) const {
  std::uint64_t first = 0;
  for (const Source& source : sources_) {
    if (first >= last) return;
    if (first + source.count <= first_wanted) {
      first += source.count;
      continue;
    }
    const std::vector<Digest> leaves = tree_.tile({false, 0, first / kTileWidth, static_cast<unsigned>(source.count % kTileWidth)});
    const auto stage = parse_stage_name(source.file.substr(source.file.find_last_of('/') + 1));
    const std::uint64_t total = stage ? stage->size - stage->first : is_partial(source.file) ? source.count : kTileWidth;
    const auto entries = source.file.empty() ? Result<std::vector<std::string>>(fail(Errc::not_found, ""))
                                             : read_entries(source.file, total, source.skip, source.count);
    for (std::size_t i = 0; entries && i < entries->size(); ++i) {
      if (first + i < first_wanted || first + i >= last) continue;
      if (i < leaves.size() && leaf_hash(as_bytes((*entries)[i])) == leaves[i] && !visit_entry(first + i, (*entries)[i])) return;
    }
    first += source.count;
  }
}

// Every stored tile must hold the hashes that the entries give: readers and proofs rely on them.
void LogFiles::check_tiles() const {
  for (const TileName& name : tree_.names()) {
    const Bytes wanted = write_tile(tree_.tile(name));
    for (const std::string& folder : folders_) {
      const std::string file = folder + "/" + name.path();
      Bytes buffer;
      const auto bytes = files_.read_into(file, kTileWidth * 32, buffer);
      if (!bytes && (bytes.error().code == Errc::not_found || bytes.error().code == Errc::io_error)) continue;
      const bool same = bytes && std::equal(bytes->begin(), bytes->end(), wanted.begin(), wanted.end());
      if (!same) {
        add(Verdict::tampered, "tile-altered", "a tile of hashes does not hold the hashes of the log's entries", file,
            name.index << (8 * (name.level + 1)));
      }
    }
  }
}

}  // namespace greffe::verify
