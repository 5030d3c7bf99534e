#include "archive/tlog/log_writer.h"

#include <fmt/format.h>

#include <optional>

#include "archive/tlog/stored_tree.h"
#include "archive/tlog/tile_edge.h"
#include "archive/tlog/tree_view.h"

namespace greffe::tlog {
namespace {

constexpr std::size_t kBatchEntriesMax = 65'536;
constexpr std::size_t kBatchBytesMax = 32 * 1024 * 1024;  // with a tail of 255 large entries below the limit of a file

Status check_batch(std::span<const std::string> entries) {
  if (entries.empty()) return fail(Errc::invalid, "nothing to append");
  std::size_t bytes = 0;
  for (const std::string& entry : entries) {
    if (entry.empty() || entry.size() > kMaxEntryBytes) {
      return fail(Errc::invalid, fmt::format("an entry of {} bytes; a log takes 1 to {}", entry.size(), kMaxEntryBytes));
    }
    bytes += 2 + entry.size();
  }
  if (entries.size() > kBatchEntriesMax || bytes > kBatchBytesMax) {
    return fail(Errc::invalid, fmt::format("a batch of {} entries and {} bytes; at most {} and {} at once", entries.size(),
                                           bytes, kBatchEntriesMax, kBatchBytesMax));
  }
  return ok();
}

}  // namespace

struct LogWriter::State {
  State(store::ObjectStore& the_objects, store::HeadStore& the_heads, store::StageRemover& the_stages, std::string path)
      : objects(the_objects), heads(the_heads), stages(the_stages), log_path(std::move(path)) {}

  Status load();
  Status load_tail(const TreeView& view);
  Status check_last_bundle(const TreeView& view);
  Status stage_and_verify(const StageName& name, const std::string& bytes, const Digest& root);
  Status write_tiles();
  Status check_note(const std::string& note, const Checkpoint& wanted) const;
  void advance(const StageName& name, std::string note, std::span<const std::string> entries);
  void clear_superseded();
  void settle_head();

  store::ObjectStore& objects;
  store::HeadStore& heads;
  store::StageRemover& stages;
  const std::string log_path;

  std::string head;    // the published note
  std::string origin;  // of the head; empty while there is none
  TreeEdge edge;
  // What storage says, apart from `edge`: the incomplete tiles at `boundary.size()`, a multiple of 256, from what was
  // read back after writing.
  TileEdge boundary;
  // The published entries from boundary.size() on. Whole bundles at its front are still to be written as tiles.
  std::vector<std::string> tail;
  std::optional<StageName> stage;            // of the head
  std::vector<std::string> superseded;       // keys of stages that the newest one has replaced
  bool outcome_unknown = false;              // a swap was neither confirmed nor refused: only open() can tell
};

// Full bundles and tiles of what the tail holds. Every one is read back before the stage that also holds it may go.
// A crash in here leaves some of them unwritten; the stage of the head is still there and open() does this again.
Status LogWriter::State::write_tiles() {
  while (tail.size() >= kTileWidth) {
    const auto front = std::span(tail).first(kTileWidth);
    const std::uint64_t index = boundary.size() / kTileWidth;
    const std::string bundle = write_bundle(front);
    const std::string bundle_key = tile_key(log_path, {true, 0, index, 0});
    GREFFE_TRY(objects.put(bundle_key, as_bytes(bundle)));
    const Bytes read = GREFFE_TRY(objects.get(bundle_key));
    const std::vector<std::string> entries = GREFFE_TRY(parse_bundle(read));
    TileEdge next = boundary;
    std::vector<std::pair<TileName, Bytes>> tiles;
    for (const std::string& entry : entries) {
      next.append(leaf_hash(as_bytes(entry)), [&](unsigned level, std::uint64_t tile, const auto& hashes) {
        tiles.emplace_back(TileName{false, level, tile, 0}, write_tile(hashes));
      });
    }
    if (entries.size() != kTileWidth || !std::equal(entries.begin(), entries.end(), front.begin())) {
      return fail(Errc::corrupt, bundle_key + " does not read back as it was written");
    }
    for (const auto& [name, bytes] : tiles) {
      const std::string key = tile_key(log_path, name);
      GREFFE_TRY(objects.put(key, bytes));
      const Bytes back = GREFFE_TRY(objects.get(key));
      if (back != bytes) return fail(Errc::corrupt, key + " does not read back as it was written");
    }
    boundary = std::move(next);
    tail.erase(tail.begin(), tail.begin() + static_cast<std::ptrdiff_t>(kTileWidth));
  }
  return ok();
}

Status LogWriter::State::load() {
  const auto view = TreeView::load(objects, heads, log_path);
  if (!view && view.error().code == Errc::not_found) return ok();  // a new log; an unsigned stage may lie there
  if (!view) return view.error();
  head = (*view)->head();
  origin = (*view)->checkpoint().checkpoint.origin;
  stage = (*view)->stage();
  GREFFE_TRY(load_tail(**view));
  GREFFE_TRY(check_last_bundle(**view));
  // Whatever else lies in the stage folder is older, or was never signed.
  return objects.list(log_path + "/stage/", [&](const store::ObjectInfo& info) {
    if (!stage || info.key != stage_path(log_path, *stage)) superseded.push_back(info.key);
    return true;
  });
}

// The right edge twice, as bits and as tiles, and whatever tiles a crash left unwritten.
Status LogWriter::State::load_tail(const TreeView& view) {
  std::vector<Digest> subtrees;
  const std::uint64_t size = view.size();
  for (int bit = 62; bit >= 0; --bit) {
    const std::uint64_t width = std::uint64_t{1} << bit;
    if ((size & width) == 0) continue;
    const std::uint64_t first = size & ~(2 * width - 1);
    subtrees.push_back(GREFFE_TRY(view.subtree(static_cast<unsigned>(bit), first >> bit)));
  }
  edge = GREFFE_TRY(TreeEdge::from_subtrees(size, std::move(subtrees)));
  boundary = GREFFE_TRY(view.boundary());
  tail = view.held();
  TileEdge check = boundary;
  for (const std::string& entry : tail) check.append(leaf_hash(as_bytes(entry)));
  if (edge.root() != view.checkpoint().checkpoint.root || check.root() != edge.root()) {
    return fail(Errc::corrupt, log_path + ": two ways of computing the root of the head differ");
  }
  return write_tiles();
}

// Rot in the newest entries is found before anything is built on them.
Status LogWriter::State::check_last_bundle(const TreeView& view) {
  if (boundary.size() == 0) return ok();
  GREFFE_TRY(view.bundle(boundary.size() / kTileWidth - 1));
  return ok();
}

// ok: the stage is on W volumes, and what was read back from them gives `root` by way of tiles.
Status LogWriter::State::stage_and_verify(const StageName& name, const std::string& bytes, const Digest& root) {
  const std::string key = stage_path(log_path, name);
  Status put = objects.put(key, as_bytes(bytes));
  if (!put && put.error().code == Errc::conflict) {
    // The same batch was staged before and has rotted since. It was never signed: the head is behind it.
    GREFFE_TRY(stages.remove_stage(key));
    put = objects.put(key, as_bytes(bytes));
  }
  GREFFE_TRY(std::move(put));
  const std::vector<Bytes> replicas = GREFFE_TRY(objects.get_all(key));
  for (const Bytes& read : replicas) {
    const auto entries = parse_entries(read, kMaxStageEntries);
    if (!entries) continue;
    TileEdge check = boundary;
    for (const std::string& entry : *entries) check.append(leaf_hash(as_bytes(entry)));
    if (check.size() == name.size && check.root() == root) return ok();
  }
  return fail(Errc::corrupt, key + " was read back and gives another root: nothing was signed");
}

Status LogWriter::State::check_note(const std::string& note, const Checkpoint& wanted) const {
  if (note.size() > kMaxNoteBytes) return fail(Errc::invalid, "the note to publish is too large");
  const SignedCheckpoint parsed = GREFFE_TRY(parse_signed_checkpoint(note));
  if (parsed.checkpoint.size != wanted.size || parsed.checkpoint.root != wanted.root) {
    return fail(Errc::invalid, "the note to publish is about another tree than the one that was staged");
  }
  if (!origin.empty() && parsed.checkpoint.origin != origin) {
    return fail(Errc::invalid, fmt::format("the note to publish is of {} and not of {}", parsed.checkpoint.origin, origin));
  }
  return ok();
}

void LogWriter::State::advance(const StageName& name, std::string note, std::span<const std::string> entries) {
  if (stage && *stage != name) superseded.push_back(stage_path(log_path, *stage));
  stage = name;
  head = std::move(note);
  tail.insert(tail.end(), entries.begin(), entries.end());
}

// Best effort: what stays is tried again after the next batch, and is never mistaken for the newest stage.
void LogWriter::State::clear_superseded() {
  std::vector<std::string> left;
  for (const std::string& key : superseded) {
    if (stage && key == stage_path(log_path, *stage)) continue;
    if (!stages.remove_stage(key)) left.push_back(key);
  }
  superseded = std::move(left);
}

// A change of the head failed. Storage decides which head it is; only a readable head of our own tree lets us go on.
void LogWriter::State::settle_head() {
  const auto now = heads.read_head(checkpoint_path(log_path));
  const auto parsed = now ? parse_signed_checkpoint(*now) : Result<SignedCheckpoint>(now.error());
  if (parsed && parsed->checkpoint.size == edge.size() && parsed->checkpoint.root == edge.root()) {
    head = *now;
  } else {
    outcome_unknown = true;
  }
}

LogWriter::LogWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
LogWriter::LogWriter(LogWriter&&) noexcept = default;
LogWriter& LogWriter::operator=(LogWriter&&) noexcept = default;
LogWriter::~LogWriter() = default;

Result<LogWriter> LogWriter::open(store::ObjectStore& objects, store::HeadStore& heads, store::StageRemover& stages,
                                  std::string log_path) {
  auto state = std::make_unique<State>(objects, heads, stages, std::move(log_path));
  GREFFE_TRY(state->load());
  return LogWriter(std::move(state));
}

std::uint64_t LogWriter::size() const { return state_->edge.size(); }
Digest LogWriter::root() const { return state_->edge.root(); }
const std::string& LogWriter::head() const { return state_->head; }

TreeEdge LogWriter::preview(std::span<const std::string> entries) const {
  TreeEdge edge = state_->edge;
  for (const std::string& entry : entries) edge.append(leaf_hash(as_bytes(entry)));
  return edge;
}

Status LogWriter::append(std::span<const std::string> entries,
                         const std::function<Result<std::string>(std::uint64_t size, const Digest& root)>& sign) {
  State& state = *state_;
  if (state.outcome_unknown) return fail(Errc::unavailable, state.log_path + " must be opened again: its head is unsure");
  GREFFE_TRY(check_batch(entries));
  GREFFE_TRY(state.write_tiles());  // what could not be written after the last batch
  TreeEdge next = preview(entries);
  const StageName name{state.boundary.size(), next.size(), next.root()};
  std::vector<std::string> staged = state.tail;
  staged.insert(staged.end(), entries.begin(), entries.end());
  // Until the head moves, a crash leaves a stage that nobody refers to.
  state.superseded.push_back(stage_path(state.log_path, name));
  GREFFE_TRY(state.stage_and_verify(name, write_bundle(staged), name.root));
  std::string note = GREFFE_TRY(sign(name.size, name.root));
  GREFFE_TRY(state.check_note(note, {state.origin, name.size, name.root}));
  const Status swapped = state.heads.swap_head(checkpoint_path(state.log_path), state.head, note);
  if (!swapped) {
    state.outcome_unknown = true;
    return swapped;
  }
  // From here on the entries are in the log; a crash leaves tiles that open() writes from the stage.
  if (state.origin.empty()) state.origin = parse_signed_checkpoint(note)->checkpoint.origin;
  state.edge = std::move(next);
  state.advance(name, std::move(note), entries);
  // A failure here loses nothing: the stage keeps the entries, readers find them there, and the next batch tries again.
  static_cast<void>(state.write_tiles().has_value());
  state.clear_superseded();
  return ok();
}

Status LogWriter::add_signatures(const std::string& note) {
  State& state = *state_;
  if (state.outcome_unknown) return fail(Errc::unavailable, state.log_path + " must be opened again: its head is unsure");
  if (note == state.head) return ok();
  if (note.size() > kMaxNoteBytes) return fail(Errc::invalid, "the note to publish is too large");
  const SignedNote old = GREFFE_TRY(parse_signed_note(state.head));
  const SignedNote added = GREFFE_TRY(parse_signed_note(note));
  if (old.text != added.text) return fail(Errc::conflict, "the head of " + state.log_path + " says something else");
  const Status swapped = state.heads.swap_head(checkpoint_path(state.log_path), state.head, note);
  if (swapped) {
    state.head = note;
  } else {
    state.settle_head();
  }
  return swapped;
}

Status LogWriter::finalise() {
  State& state = *state_;
  if (state.outcome_unknown) return fail(Errc::unavailable, state.log_path + " must be opened again: its head is unsure");
  if (state.head.empty()) return ok();
  GREFFE_TRY(state.write_tiles());
  TileEdge edge = state.boundary;
  for (const std::string& entry : state.tail) edge.append(leaf_hash(as_bytes(entry)));
  for (unsigned level = 0; level < edge.levels().size(); ++level) {
    const std::vector<Digest>& hashes = edge.levels()[level];
    if (hashes.empty()) continue;
    const TileName name{false, level, edge.size() >> (8 * (level + 1)), static_cast<unsigned>(hashes.size())};
    GREFFE_TRY(state.objects.put(tile_key(state.log_path, name), write_tile(hashes)));
  }
  if (!state.tail.empty()) {
    const TileName name{true, 0, edge.size() / kTileWidth, static_cast<unsigned>(state.tail.size())};
    GREFFE_TRY(state.objects.put(tile_key(state.log_path, name), as_bytes(write_bundle(state.tail))));
  }
  // The stage goes last: a crash before this leaves both, which say the same.
  if (state.stage) state.superseded.push_back(stage_path(state.log_path, *state.stage));
  state.stage.reset();
  state.clear_superseded();
  return ok();
}

}  // namespace greffe::tlog
