#include "archive/entries_ahead.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <iterator>
#include <map>
#include <mutex>

#include "archive/format/tiles.h"

namespace greffe::archive {
namespace {

// A recording in progress sends few entries at a time: they are kept together, or there would be a file for each.
constexpr std::uint64_t kTogetherEntries = 256;
constexpr std::uint64_t kTogetherBytes = 64 * 1024;
constexpr std::uint64_t kLeastBytes = 16 * 1024;  // a million tiny files cost more than their bytes
constexpr std::size_t kLookedAtOnce = 256;  // logs and pieces, when somebody asks for the facts

// What a piece says, for the facts.
struct Content {
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;
  std::optional<UtcTime> oldest;
};

void add_to(Content& content, std::string_view entry) {
  const auto json = parse_json(entry);
  const auto kind = json ? json->string("kind") : Result<std::string>(json.error());
  if (!kind) return;
  const auto utc = json->has("utc") ? json->utc("utc") : Result<UtcTime>(fail(Errc::not_found, ""));
  if (utc && (!content.oldest || *utc < *content.oldest)) content.oldest = *utc;
  if (*kind == "lost") return;
  content.objects += named_objects(*json).size();
  const auto bytes = *kind == "segment" ? json->size("bytes") : Result<std::uint64_t>(std::uint64_t{0});
  if (bytes) content.bytes += *bytes;
}

struct Piece {
  StageName name;
  std::uint64_t bytes = 0;         // of the file, or kLeastBytes
  std::optional<Content> content;  // of its entries that the log does not hold; none: not looked at since that changed
};

std::uint64_t counted(std::uint64_t bytes) { return std::max(bytes, kLeastBytes); }

bool is_damage(Errc code) { return code == Errc::corrupt || code == Errc::not_found; }

bool ends_hearing(std::string_view entry) {
  const auto parsed = parse_hearing_entry(entry);
  return parsed && std::holds_alternative<CloseEntry>(*parsed);
}

std::string archive_of(const std::string& origin) {
  const auto hearing = parse_hearing_origin(origin);
  const auto epoch = parse_epoch_origin(origin);
  return hearing ? hearing->archive_name : epoch ? epoch->archive : origin;
}

// What is known ahead of one log.
struct Chain {
  Chain(std::string at, std::string log) : folder(std::move(at)), log_path(std::move(log)) {}
  const std::string folder;
  const std::string log_path;  // where the log itself lies

  std::mutex mutex;  // guards what follows; held while files of it are read and written
  bool loaded = false;
  std::string archive;        // whose log it is
  std::vector<Piece> pieces;  // in order, without a hole from what is held
  std::vector<Piece> others;  // files that are no part of that: behind a hole, unreadable, or of another tree
  TreeEdge edge;              // where the last piece ends
  std::string opening;        // entry 0, if a piece has it
  bool closed = false;        // the last entry ends the hearing
  std::uint64_t covered = 0;  // what the log holds, as far as it was said
  std::uint64_t bytes = 0;    // of all files

  bool is_hearing() const { return log_path.starts_with("log/hearing/"); }
  bool is_empty() const { return pieces.empty() && others.empty(); }
  std::uint64_t end() const { return pieces.empty() ? 0 : pieces.back().name.size; }
  std::string key(const Piece& piece) const { return stage_path(folder, piece.name); }
  // None of it is known any more, until it is sent again.
  void give_up() {
    others.insert(others.end(), pieces.begin(), pieces.end());
    pieces.clear();
    edge = TreeEdge();
    opening.clear();
    closed = false;
  }
};

}  // namespace

struct EntriesAhead::State {
  State(Log& l, Stores s, Limits limit) : log(l), stores(s), limits(limit) {}

  Log& log;
  Stores stores;
  const Limits limits;
  std::atomic<std::uint64_t> total{0};  // bytes of all files
  std::mutex mutex;  // guards the two below; a chain's own may be held when it is taken, never the other way round
  bool listed = false;
  std::map<std::string, std::shared_ptr<Chain>> chains;  // by folder

  Status list_all();
  Result<std::shared_ptr<Chain>> find(const std::string& folder);  // null: there is nothing
  Result<std::shared_ptr<Chain>> find_or_make(const std::string& folder);
  Result<std::vector<std::shared_ptr<Chain>>> all();
  void forget_if_empty(const std::shared_ptr<Chain>& chain);

  // With the chain's lock.
  Status load(Chain& chain, std::uint64_t held);
  Status drop_held(Chain& chain, std::uint64_t held);
  void choose(Chain& chain, std::uint64_t held);
  Status read_ends(Chain& chain);
  Result<CheckedPiece> read(const Chain& chain, const Piece& piece);
  void remove(Chain& chain, const Piece& piece);
  Result<std::optional<Digest>> root_at(const Chain& chain, const TreeEdge& held, std::uint64_t size);
  Status put(const std::string& key, const std::string& text);
  Result<std::optional<Piece>> join(const Chain& chain, AheadPiece& next);
  Status add(Chain& chain, AheadPiece next, const Checkpoint& wanted);
  void recount(const Chain& chain, Piece& piece);
  std::uint64_t size_of_log(const Chain& chain);
};

// ---- what lies in the pool ----

Status EntriesAhead::State::list_all() {
  const std::lock_guard lock(mutex);
  if (listed) return ok();
  std::map<std::string, std::shared_ptr<Chain>> found;
  std::uint64_t sum = 0;
  GREFFE_TRY(stores.objects.list(kAheadLogs, [&](const store::ObjectInfo& info) {
    const auto key = parse_ahead_key(info.key);
    if (!key) {
      log.warn(info.key + " is no piece of entries that are known ahead; it is left alone");
      return true;
    }
    auto& chain = found[key->folder];
    if (chain == nullptr) chain = std::make_shared<Chain>(key->folder, *log_path_ahead_of(key->folder));
    chain->others.push_back({key->name, counted(info.bytes), std::nullopt});
    chain->bytes += counted(info.bytes);
    sum += counted(info.bytes);
    return true;
  }));
  chains = std::move(found);
  total = sum;
  listed = true;
  return ok();
}

Result<std::shared_ptr<Chain>> EntriesAhead::State::find(const std::string& folder) {
  GREFFE_TRY(list_all());
  const std::lock_guard lock(mutex);
  const auto found = chains.find(folder);
  return found == chains.end() ? std::shared_ptr<Chain>() : found->second;
}

Result<std::shared_ptr<Chain>> EntriesAhead::State::find_or_make(const std::string& folder) {
  GREFFE_TRY(list_all());
  const std::string log_path = GREFFE_TRY(log_path_ahead_of(folder));
  const std::lock_guard lock(mutex);
  std::shared_ptr<Chain>& chain = chains[folder];
  if (chain == nullptr) chain = std::make_shared<Chain>(folder, log_path);
  return chain;
}

Result<std::vector<std::shared_ptr<Chain>>> EntriesAhead::State::all() {
  GREFFE_TRY(list_all());
  const std::lock_guard lock(mutex);
  std::vector<std::shared_ptr<Chain>> out;
  for (const auto& [folder, chain] : chains) out.push_back(chain);
  return out;
}

// Only where nobody else can be about to use it: the table and the caller have it.
void EntriesAhead::State::forget_if_empty(const std::shared_ptr<Chain>& chain) {
  if (!chain->is_empty()) return;
  const std::lock_guard lock(mutex);
  if (chain.use_count() == 2) chains.erase(chain->folder);
}

// Some replica that is what its name says.
Result<CheckedPiece> EntriesAhead::State::read(const Chain& chain, const Piece& piece) {
  const std::string key = chain.key(piece);
  const std::vector<Bytes> replicas = GREFFE_TRY(stores.objects.get_all(key));
  for (const Bytes& replica : replicas) {
    auto checked = parse_ahead_piece(as_text(replica));
    if (checked && checked->name() == piece.name) return checked;
  }
  return fail(Errc::corrupt, key + " is not what its name says on any volume");
}

// Best effort: what stays is superfluous, and found so again.
void EntriesAhead::State::remove(Chain& chain, const Piece& piece) {
  const Status removed = stores.stages.remove_stage(chain.key(piece));
  if (!removed) return log.warn(removed.error().within("entries that were known ahead stay although the log holds them").message);
  chain.bytes -= std::min(chain.bytes, piece.bytes);
  total -= std::min(total.load(), piece.bytes);
}

// What the log holds meanwhile: after a crash, or what could not be removed. Another tree is evidence, and stays.
Status EntriesAhead::State::drop_held(Chain& chain, std::uint64_t held) {
  const tlog::LogReader reader(stores.objects, stores.heads, chain.log_path);
  for (std::size_t i = 0; i < chain.others.size();) {
    const Piece& piece = chain.others[i];
    if (piece.name.size > held) {
      ++i;
      continue;
    }
    const Digest root = GREFFE_TRY(reader.root_at(piece.name.size));
    if (root == piece.name.root) {
      remove(chain, piece);
      chain.others.erase(chain.others.begin() + static_cast<std::ptrdiff_t>(i));
      continue;
    }
    log.error(fmt::format("{}: the log holds another tree of {} entries than the one that was signed and known ahead; both are kept. Verify both "
                          "sites with greffe-verify", chain.key(piece), piece.name.size));
    ++i;
  }
  return ok();
}

// From what is held on, always the piece that reaches farthest: the others are superseded, or lie behind a hole.
void EntriesAhead::State::choose(Chain& chain, std::uint64_t held) {
  std::vector<Piece>& files = chain.others;
  std::sort(files.begin(), files.end(), [](const Piece& a, const Piece& b) { return a.name < b.name; });
  std::uint64_t reached = held;
  const Piece* best = nullptr;
  for (std::size_t next = 0;;) {
    for (; next < files.size() && files[next].name.first <= reached; ++next) {
      if (best == nullptr || files[next].name.size > best->name.size) best = &files[next];
    }
    if (best == nullptr || best->name.size <= reached) break;
    reached = best->name.size;
    chain.pieces.push_back(*best);
    if (best->name.first < held) chain.pieces.back().content.reset();
  }
  std::vector<Piece> left;
  for (Piece& piece : files) {
    const auto after = std::upper_bound(chain.pieces.begin(), chain.pieces.end(), piece.name.first,
                                        [](std::uint64_t first, const Piece& one) { return first < one.name.first; });
    const Piece* over = after == chain.pieces.begin() ? nullptr : &*std::prev(after);
    if (over != nullptr && over->name == piece.name) continue;
    const bool superseded = over != nullptr && piece.name.size > held && piece.name.size <= over->name.size;
    if (superseded) remove(chain, piece);
    else left.push_back(std::move(piece));
  }
  files = std::move(left);
}

// The last piece says where the chain ends, the first one how it begins. A process that was killed may have left the last on fewer than W
// volumes.
Status EntriesAhead::State::read_ends(Chain& chain) {
  while (!chain.pieces.empty()) {
    const Piece& last = chain.pieces.back();
    const auto checked = read(chain, last);
    if (checked) {
      GREFFE_TRY(put(chain.key(last), write_ahead_piece(checked->piece)));
      chain.edge = checked->after;
      chain.closed = ends_hearing(checked->piece.entries.back());
      chain.archive = archive_of(checked->head.checkpoint.origin);
      break;
    }
    if (!is_damage(checked.error().code)) return checked.error();
    log.warn(checked.error().within("entries known ahead are damaged and have to be sent again").message);
    chain.others.push_back(std::move(chain.pieces.back()));
    chain.pieces.pop_back();
  }
  if (chain.pieces.empty()) chain.give_up();
  chain.opening.clear();
  if (chain.pieces.empty() || chain.pieces.front().name.first > 0) return ok();
  const auto begin = read(chain, chain.pieces.front());
  if (!begin && !is_damage(begin.error().code)) return begin.error();
  if (begin) chain.opening = begin->piece.entries.front();
  else chain.give_up();
  return ok();
}

// Whatever breaks it off, each file stays in one of the two lists.
Status EntriesAhead::State::load(Chain& chain, std::uint64_t held) {
  if (chain.loaded && chain.covered >= held) return ok();
  chain.loaded = false;
  chain.give_up();
  GREFFE_TRY(drop_held(chain, held));
  choose(chain, held);
  GREFFE_TRY(read_ends(chain));
  chain.covered = held;
  chain.loaded = true;
  return ok();
}

// ---- growing ----

Status EntriesAhead::State::put(const std::string& key, const std::string& text) {
  const Status done = stores.objects.put(key, as_bytes(text));
  if (done || done.error().code != Errc::conflict) return done;
  GREFFE_TRY(stores.stages.remove_stage(key));  // it was there and has rotted since
  return stores.objects.put(key, as_bytes(text));
}

// Where the last piece is small, `next` becomes both of them, in its place.
Result<std::optional<Piece>> EntriesAhead::State::join(const Chain& chain, AheadPiece& next) {
  if (chain.pieces.empty() || chain.end() != next.before.size()) return std::optional<Piece>();
  const Piece& last = chain.pieces.back();
  const std::uint64_t together = last.name.size - last.name.first + next.entries.size();
  if (last.bytes > kTogetherBytes || together > kTogetherEntries) return std::optional<Piece>();
  CheckedPiece before = GREFFE_TRY(read(chain, last));
  before.piece.entries.insert(before.piece.entries.end(), next.entries.begin(), next.entries.end());
  next.before = std::move(before.piece.before);
  next.entries = std::move(before.piece.entries);
  return std::optional<Piece>(last);
}

Status EntriesAhead::State::add(Chain& chain, AheadPiece next, const Checkpoint& wanted) {
  const std::size_t fresh = next.entries.size();
  auto joined = join(chain, next);
  if (!joined && is_damage(joined.error().code)) {
    chain.loaded = false;  // what can still be read counts, and the rest is asked for again
    return fail(Errc::unavailable, joined.error().message);
  }
  if (!joined) return joined.error();
  const std::string text = write_ahead_piece(next);
  Piece piece{{next.before.size(), wanted.size, wanted.root}, counted(text.size()), Content()};
  const std::uint64_t freed = *joined ? (*joined)->bytes : 0;
  const std::uint64_t of_log = chain.bytes - std::min(freed, chain.bytes) + piece.bytes;
  const std::uint64_t of_all = total.load() - std::min(freed, total.load()) + piece.bytes;
  if (of_log > (chain.is_hearing() ? limits.hearing_bytes : limits.main_log_bytes) || of_all > limits.all_bytes) {
    return fail(Errc::no_space, fmt::format("this site knows as many entries ahead of their objects as it takes ({} bytes of {}, {} of all logs); "
                                            "send objects, and then the entries", chain.bytes, wanted.origin, total.load()));
  }
  const std::string key = chain.key(piece);
  const Status stored = put(key, text);
  if (!stored) {
    // On fewer than W volumes it must not be found later and taken for known.
    static_cast<void>(stores.stages.remove_stage(key).has_value());
    return stored;
  }
  // A crash here leaves the joined piece beside the new one, which reaches farther: choose() drops it.
  const auto same = [&](const Piece& one) { return one.name == piece.name; };
  if (std::erase_if(chain.others, same) == 0) {
    chain.bytes += piece.bytes;
    total += piece.bytes;
  }
  if (*joined) {
    piece.content = (*joined)->content;
    remove(chain, **joined);
    chain.pieces.pop_back();
  }
  for (std::size_t i = next.entries.size() - fresh; piece.content && i < next.entries.size(); ++i) add_to(*piece.content, next.entries[i]);
  if (piece.name.first == 0) chain.opening = next.entries.front();
  chain.archive = archive_of(wanted.origin);
  chain.closed = ends_hearing(next.entries.back());
  chain.edge = next.before;
  for (const std::string& entry : next.entries) chain.edge.append(leaf_hash(as_bytes(entry)));
  chain.pieces.push_back(std::move(piece));
  return ok();
}

// The root of the first `size` entries, held or known; nothing: the piece that says it cannot be read.
Result<std::optional<Digest>> EntriesAhead::State::root_at(const Chain& chain, const TreeEdge& held, std::uint64_t size) {
  if (size == held.size()) return std::optional<Digest>(held.root());
  if (size < held.size()) {
    const tlog::LogReader reader(stores.objects, stores.heads, chain.log_path);
    const Digest root = GREFFE_TRY(reader.root_at(size));
    return std::optional<Digest>(root);
  }
  for (const Piece& piece : chain.pieces) {
    if (piece.name.size < size) continue;
    if (piece.name.size == size) return std::optional<Digest>(piece.name.root);
    const auto checked = read(chain, piece);
    if (!checked && is_damage(checked.error().code)) return std::optional<Digest>();
    if (!checked) return checked.error();
    TreeEdge edge = checked->piece.before;
    for (const std::string& entry : checked->piece.entries) {
      if (edge.size() == size) break;
      edge.append(leaf_hash(as_bytes(entry)));
    }
    return std::optional<Digest>(edge.root());
  }
  return std::optional<Digest>();
}

// ---- facts ----

void EntriesAhead::State::recount(const Chain& chain, Piece& piece) {
  const auto checked = read(chain, piece);
  if (!checked) return;
  Content content;
  for (std::size_t i = 0; i < checked->piece.entries.size(); ++i) {
    if (piece.name.first + i >= chain.covered) add_to(content, checked->piece.entries[i]);
  }
  piece.content = content;
}

std::uint64_t EntriesAhead::State::size_of_log(const Chain& chain) {
  const auto head = tlog::LogReader(stores.objects, stores.heads, chain.log_path).checkpoint();
  return head ? head->checkpoint.size : 0;
}

// ---- public ----

EntriesAhead::EntriesAhead(Log& log, Stores stores, Limits limits) : state_(std::make_unique<State>(log, stores, limits)) {}
EntriesAhead::~EntriesAhead() = default;

Result<KnownAhead> EntriesAhead::known(const std::string& folder, const TreeEdge& held) {
  const KnownAhead only_held{held.size(), held.root()};
  const std::shared_ptr<Chain> chain = GREFFE_TRY(state_->find(folder));
  if (chain == nullptr) return only_held;
  const std::lock_guard lock(chain->mutex);
  GREFFE_TRY(state_->load(*chain, held.size()));
  if (chain->end() <= held.size()) return only_held;
  return KnownAhead{chain->end(), chain->edge.root()};
}

Result<AheadEnd> EntriesAhead::end(const std::string& folder, std::uint64_t held_size) {
  const std::shared_ptr<Chain> chain = GREFFE_TRY(state_->find(folder));
  if (chain == nullptr) return AheadEnd{};
  const std::lock_guard lock(chain->mutex);
  GREFFE_TRY(state_->load(*chain, held_size));
  return AheadEnd{chain->end(), chain->opening, chain->closed};
}

Result<std::variant<KnownAhead, NotAhead>> EntriesAhead::take(const std::string& folder, const TreeEdge& held, std::uint64_t first,
                                                              const std::vector<std::string>& entries, const SignedCheckpoint& wanted) {
  using Answer = std::variant<KnownAhead, NotAhead>;
  const std::shared_ptr<Chain> chain = GREFFE_TRY(state_->find_or_make(folder));
  const std::lock_guard lock(chain->mutex);
  GREFFE_TRY(state_->load(*chain, held.size()));
  const bool ahead = chain->end() > held.size();
  const TreeEdge base = ahead ? chain->edge : held;
  const std::uint64_t known = base.size();
  const Checkpoint& stated = wanted.checkpoint;
  if (held.size() < chain->covered) return Answer(NotAhead{chain->covered, "the log has grown this moment; ask again", false});
  const auto diverged = [&](std::uint64_t size) {
    return Answer(NotAhead{known, fmt::format("this site holds or knows another log {}: its first {} entries are not those of the checkpoint",
                                              stated.origin, size), true});
  };
  if (stated.size <= known) {
    const std::optional<Digest> root = GREFFE_TRY(state_->root_at(*chain, held, stated.size));
    if (root && *root != stated.root) return diverged(stated.size);
    return Answer(KnownAhead{known, base.root()});
  }
  if (first != known) {
    return Answer(NotAhead{known, fmt::format("this site knows {} entries of {}; send from entry {} on", known, stated.origin, known), false});
  }
  if (entries.empty() || stated.size != first + entries.size()) {
    return fail(Errc::invalid, fmt::format("the checkpoint is of {} entries; with what was sent there would be {}", stated.size, first + entries.size()));
  }
  TreeEdge grown = base;
  for (const std::string& entry : entries) grown.append(leaf_hash(as_bytes(entry)));
  if (grown.root() != stated.root) {
    if (first > 0) return diverged(first);
    return fail(Errc::invalid, "the entries do not lead to the root that the checkpoint states");
  }
  GREFFE_TRY(state_->add(*chain, {base, entries, wanted.note.write()}, stated));
  return Answer(KnownAhead{stated.size, stated.root});
}

Result<std::optional<std::string>> EntriesAhead::contradiction(const std::string& folder, const TreeEdge& held, const std::vector<std::string>& entries,
                                                               const Checkpoint& wanted) {
  const std::optional<std::string> none;
  const std::shared_ptr<Chain> chain = GREFFE_TRY(state_->find(folder));
  if (chain == nullptr) return none;
  const std::lock_guard lock(chain->mutex);
  GREFFE_TRY(state_->load(*chain, held.size()));
  if (chain->end() <= held.size()) return none;
  const std::uint64_t size = std::min(chain->end(), wanted.size);
  TreeEdge grown = held;
  for (const std::string& entry : entries) {
    if (grown.size() < size) grown.append(leaf_hash(as_bytes(entry)));
  }
  const std::optional<Digest> root = GREFFE_TRY(state_->root_at(*chain, held, size));
  if (!root || *root == grown.root()) return none;
  return std::optional<std::string>(
      fmt::format("another tree of the first {} entries of {} was signed with the same key and is known here, though not held: its owner tells two "
                  "stories. Verify both sites with greffe-verify. If the one in {} is to be given up, stop this archive and move that folder off "
                  "its volumes", size, wanted.origin, folder));
}

void EntriesAhead::covered(const std::string& folder, std::uint64_t held_size) {
  const auto found = state_->find(folder);
  if (!found || *found == nullptr) return;
  const std::shared_ptr<Chain>& chain = *found;
  const std::lock_guard lock(chain->mutex);
  if (!chain->loaded) return;  // load() will see
  chain->covered = std::max(chain->covered, held_size);
  std::vector<Piece> left;
  for (Piece& piece : chain->pieces) {
    if (piece.name.size <= held_size) {
      state_->remove(*chain, piece);
      continue;
    }
    if (piece.name.first < held_size) piece.content.reset();
    left.push_back(std::move(piece));
  }
  chain->pieces = std::move(left);
  if (held_size > 0) chain->opening.clear();
  if (chain->pieces.empty()) chain->give_up();
  state_->forget_if_empty(chain);
}

void EntriesAhead::read_again(const std::string& folder) {
  const auto found = state_->find(folder);
  if (!found || *found == nullptr) return;
  Chain& chain = **found;
  const std::lock_guard lock(chain.mutex);
  std::vector<Piece> there;
  std::uint64_t sum = 0;
  const Status listed = state_->stores.objects.list(folder + "/stage/", [&](const store::ObjectInfo& info) {
    const auto key = parse_ahead_key(info.key);
    if (!key) return true;
    there.push_back({key->name, counted(info.bytes), std::nullopt});
    sum += counted(info.bytes);
    return true;
  });
  if (!listed) return state_->log.warn(listed.error().within("entries known ahead cannot be listed").message);
  state_->total += sum;
  state_->total -= std::min(state_->total.load(), chain.bytes);
  chain.bytes = sum;
  chain.pieces.clear();
  chain.others = std::move(there);
  chain.loaded = false;
}

Result<std::vector<AheadFacts>> EntriesAhead::facts() const {
  const std::vector<std::shared_ptr<Chain>> chains = GREFFE_TRY(state_->all());
  std::map<std::string, AheadFacts> by_archive;
  std::size_t looked = 0;
  bool all_seen = true;
  for (const std::shared_ptr<Chain>& chain : chains) {
    const std::lock_guard lock(chain->mutex);
    if (!chain->loaded && !chain->is_empty()) {
      if (looked == kLookedAtOnce || !state_->load(*chain, state_->size_of_log(*chain))) {
        all_seen = false;
        continue;
      }
      ++looked;
    }
    state_->forget_if_empty(chain);
    if (chain->end() <= chain->covered) continue;
    AheadFacts& of = by_archive[chain->archive];
    of.hearings += chain->is_hearing() ? 1 : 0;
    (chain->is_hearing() ? of.entries : of.main_entries) += chain->end() - chain->covered;
    for (Piece& piece : chain->pieces) {
      if (!piece.content && looked < kLookedAtOnce) {
        ++looked;
        state_->recount(*chain, piece);
      }
      of.counted = of.counted && piece.content;
      if (!piece.content) continue;
      of.objects += piece.content->objects;
      of.bytes += piece.content->bytes;
      if (piece.content->oldest && (!of.oldest || *piece.content->oldest < *of.oldest)) of.oldest = piece.content->oldest;
    }
  }
  std::vector<AheadFacts> out;
  for (auto& [name, of] : by_archive) {
    of.archive = name;
    of.counted = of.counted && all_seen;
    out.push_back(of);
  }
  return out;
}

}  // namespace greffe::archive
