#include "archive/store/compared_objects.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "archive/base/record_sort.h"

namespace greffe::store {
namespace {

constexpr std::size_t kDigestBytes = 32;
constexpr std::size_t kWriteBytes = 1024 * 1024;
constexpr unsigned kParts = RecordParts::kParts;
using ItemSort = RecordSort<kComparedItemBytes>;
using NameSort = RecordSort<kDigestBytes>;

Error stopped() { return fail(Errc::cancelled, "the comparison was stopped"); }

// Collects small records before they are written.
class ItemFile {
 public:
  static Result<ItemFile> create(FileSystem& files, const std::string& path) {
    std::unique_ptr<WritableFile> file = GREFFE_TRY(files.create(path, 0600));
    return ItemFile(std::move(file));
  }
  Status add(ByteView record) {
    waiting_.insert(waiting_.end(), record.begin(), record.end());
    return waiting_.size() < kWriteBytes ? ok() : flush();
  }
  Status flush() {
    GREFFE_TRY(file_->write(waiting_));
    waiting_.clear();
    return ok();
  }

 private:
  explicit ItemFile(std::unique_ptr<WritableFile> file) : file_(std::move(file)) {}
  std::unique_ptr<WritableFile> file_;
  Bytes waiting_;
};

// Nothing in there is worth anything to anybody but the one who is building.
Status clear(FileSystem& files, const std::string& directory) {
  GREFFE_TRY(files.make_directories(directory));
  const std::vector<std::string> names = GREFFE_TRY(files.list(directory));
  for (const std::string& name : names) GREFFE_TRY(files.remove(join(directory, name)));
  return ok();
}

}  // namespace

struct ComparedObjects::State {
  ComparisonTree tree;
  std::shared_ptr<ReadableFile> items;  // sorted; its name is gone already
  std::vector<ComparedItem> absent;
  std::uint64_t absent_count = 0;

  Result<std::vector<ComparedItem>> range(std::uint64_t begin, std::uint64_t end) const;
  Status note_absent(const ComparedItem& item) {
    ++absent_count;
    if (absent.size() < kAbsentKept) absent.push_back(item);
    return ok();
  }
};

namespace {

// One build: names and what is there, sorted side by side.
class Build {
 public:
  Build(FileSystem& files, const std::string& directory, const ComparedSources& sources, ComparedProgress& progress, const std::stop_token& stop)
      : sources_(sources), progress_(progress), stop_(stop), named_(files, join(directory, "named")), stored_(files, join(directory, "stored")) {}

  Status collect() {
    const ComparedSources::Take take = [this](const ComparedItem& item, bool here) -> Status {
      if (stop_.stop_requested()) return stopped();
      // A log that is not whole here counts as any other thing that is not.
      if (item.kind != ComparedKind::object && here) GREFFE_TRY(stored_.add(item.id.bytes));
      return named_.add(pack(item));
    };
    GREFFE_TRY(sources_.name_all(take));
    progress_.done = kParts;
    Status added = ok();
    std::uint64_t seen = 0;
    GREFFE_TRY(sources_.walk_stored([&](const Digest& digest) {
      added = stored_.add(digest.bytes);
      // How many there are is known only roughly: about as many as are named.
      progress_.done = kParts + std::min<std::uint64_t>(kParts, ++seen * kParts / (named_.count() + 1));
      return added.has_value() && !stop_.stop_requested();
    }));
    GREFFE_TRY(std::move(added));
    return stop_.stop_requested() ? stopped() : ok();
  }

  // `present` and `absent` are called in the order of ids.
  Status merge(const std::function<Status(const ComparedItem&, ByteView packed)>& present, const std::function<Status(const ComparedItem&)>& absent) {
    for (unsigned part = 0; part < kParts; ++part) {
      if (stop_.stop_requested()) return stopped();
      const std::vector<ItemSort::Record> named = GREFFE_TRY(named_.take(part));
      const std::vector<NameSort::Record> stored = GREFFE_TRY(stored_.take(part));
      auto at = stored.begin();
      const ItemSort::Record* last = nullptr;
      for (const ItemSort::Record& record : named) {
        // Named twice: the first hearing that does it stands for all.
        if (last != nullptr && std::memcmp(last->data(), record.data(), kDigestBytes) == 0) continue;
        last = &record;
        const ComparedItem item = GREFFE_TRY(unpack_compared_item(record));
        while (at != stored.end() && *at < item.id.bytes) ++at;
        bool here = at != stored.end() && *at == item.id.bytes;
        if (!here && item.kind == ComparedKind::object) here = GREFFE_TRY(sources_.is_stored(item.id));
        if (here) {
          GREFFE_TRY(present(item, record));
        } else {
          GREFFE_TRY(absent(item));
        }
      }
      progress_.done = 2 * kParts + part + 1;
    }
    return ok();
  }

 private:
  const ComparedSources& sources_;
  ComparedProgress& progress_;
  const std::stop_token& stop_;
  ItemSort named_;
  NameSort stored_;
};

}  // namespace

Result<std::vector<ComparedItem>> ComparedObjects::State::range(std::uint64_t begin, std::uint64_t end) const {
  if (begin == end) return std::vector<ComparedItem>();
  Bytes bytes(static_cast<std::size_t>(end - begin) * kComparedItemBytes);
  const std::size_t got = GREFFE_TRY(items->read_at(begin * kComparedItemBytes, bytes));
  if (got != bytes.size()) return fail(Errc::corrupt, "the sorted names of a comparison became shorter after they were written; begin it again");
  std::vector<ComparedItem> out;
  for (std::size_t at = 0; at < bytes.size(); at += kComparedItemBytes) {
    out.push_back(GREFFE_TRY(unpack_compared_item(ByteView(bytes).subspan(at, kComparedItemBytes))));
  }
  return out;
}

Result<std::unique_ptr<ComparedObjects>> ComparedObjects::build(FileSystem& files, const std::string& directory, const ComparedSources& sources,
                                                                ComparedProgress& progress, const std::stop_token& stop) {
  GREFFE_TRY(clear(files, directory));
  auto state = std::make_unique<State>();
  const std::string path = join(directory, "items");
  ItemFile file = GREFFE_TRY(ItemFile::create(files, path));
  // Whoever has it open keeps it; nothing is left of it afterwards, whatever happens.
  std::shared_ptr<ReadableFile> readable = GREFFE_TRY(files.open_read(path));
  GREFFE_TRY(files.remove(path));
  Build build(files, directory, sources, progress, stop);
  GREFFE_TRY(build.collect());
  ComparisonTreeBuilder tree;
  GREFFE_TRY(build.merge(
      [&](const ComparedItem& item, ByteView packed) {
        tree.add(item.id);
        return file.add(packed);
      },
      [&](const ComparedItem& item) { return state->note_absent(item); }));
  GREFFE_TRY(file.flush());
  state->tree = std::move(tree).finish();
  state->items = std::move(readable);
  return std::unique_ptr<ComparedObjects>(new ComparedObjects(std::move(state)));
}

ComparedObjects::ComparedObjects(std::unique_ptr<State> state) : state_(std::move(state)) {}
ComparedObjects::~ComparedObjects() = default;

const ComparisonTree& ComparedObjects::tree() const { return state_->tree; }
const std::vector<ComparedItem>& ComparedObjects::absent() const { return state_->absent; }
std::uint64_t ComparedObjects::absent_count() const { return state_->absent_count; }

void ComparedObjects::excuse(const std::function<bool(const ComparedItem&)>& is_excused) {
  state_->absent_count -= std::erase_if(state_->absent, is_excused);
}

Result<std::vector<ComparedItem>> ComparedObjects::leaf(std::uint32_t leaf) const {
  return state_->range(state_->tree.begin(leaf), state_->tree.end(leaf));
}

Result<std::optional<ComparedItem>> ComparedObjects::find(const Digest& id) const {
  const std::vector<ComparedItem> items = GREFFE_TRY(leaf(comparison_leaf(id)));
  for (const ComparedItem& item : items) {
    if (item.id == id) return std::optional(item);
  }
  return std::optional<ComparedItem>();
}

Result<std::vector<ComparedItem>> ComparedObjects::sample(std::size_t count) const {
  std::vector<ComparedItem> out;
  const std::uint64_t size = state_->tree.size();
  // Few are no objects and few are drawn twice: of a small archive all may be, so the draws end.
  for (std::size_t draws = 0; size > 0 && out.size() < count && draws < 8 * count; ++draws) {
    std::uint64_t draw = 0;
    fill_random({reinterpret_cast<std::uint8_t*>(&draw), sizeof draw});
    const std::uint64_t at = draw % size;  // unevenness of 10^8 in 2^64 is none
    const std::vector<ComparedItem> one = GREFFE_TRY(state_->range(at, at + 1));
    const bool again = std::find(out.begin(), out.end(), one.front()) != out.end();
    if (!again && one.front().kind == ComparedKind::object) out.push_back(one.front());
  }
  return out;
}

std::vector<Digest> ComparedObjects::answer(const NodesQuestion& question) const {
  std::vector<Digest> out;
  out.reserve(question.nodes.size() * kComparisonFan);
  for (const std::uint32_t node : question.nodes) {
    for (std::uint32_t child = 0; child < kComparisonFan; ++child) {
      out.push_back(state_->tree.hash(question.level + 1, node * kComparisonFan + child));
    }
  }
  return out;
}

Result<IdsAnswer> ComparedObjects::answer(const IdsQuestion& question) const {
  IdsAnswer out;
  for (const std::uint32_t wanted : question.leaves) {
    if (question.after && wanted < comparison_leaf(*question.after)) continue;
    const std::vector<ComparedItem> items = GREFFE_TRY(leaf(wanted));
    for (const ComparedItem& item : items) {
      if (question.after && item.id <= *question.after) continue;
      if (out.ids.size() == kComparisonIdsMax) {
        out.more = true;
        return out;
      }
      out.ids.push_back(item.id);
    }
  }
  return out;
}

}  // namespace greffe::store
