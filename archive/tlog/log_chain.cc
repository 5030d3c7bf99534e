#include "archive/tlog/log_chain.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/format/names.h"

namespace greffe::tlog {
namespace {

// The promotion with which this epoch begins, held against the epoch before.
Result<PromotionEntry> read_promotion(const LogChain::Link& before, const LogReader& log, const EpochName& name) {
  const std::vector<std::string> entries = GREFFE_TRY(log.entries(0, 1));
  const auto promotion = parse_promotion(entries.front());
  if (!promotion || promotion->name != name) {
    return fail(Errc::corrupt, fmt::format("{} does not begin with the promotion to that epoch", epoch_origin(name)));
  }
  const SignedCheckpoint head = GREFFE_TRY(before.reader.checkpoint());
  if (head.checkpoint.size < promotion->previous.size) {
    return fail(Errc::conflict, fmt::format("{} goes on behind entry {} of {}, of which only {} are held here", epoch_origin(name),
                                            promotion->previous.size, epoch_origin(before.name), head.checkpoint.size));
  }
  if (GREFFE_TRY(before.reader.root_at(promotion->previous.size)) != promotion->previous.root) {
    return fail(Errc::conflict, fmt::format("{} goes on behind a state that {} never had", epoch_origin(name), epoch_origin(before.name)));
  }
  return promotion;
}

}  // namespace

MainLogPlace first_place(const std::string& archive) { return {{archive, 1}, main_log_path(), main_log_path()}; }

Result<MainLogPlace> find_main_log(store::HeadStore& heads, const EpochName& name) {
  const auto own = heads.read_head(checkpoint_path(main_log_path()));
  if (!own && own.error().code != Errc::not_found) return own.error();
  if (!own && name.epoch == 1) return first_place(name.archive);
  const std::string begun = own ? GREFFE_TRY(parse_signed_checkpoint(*own)).checkpoint.origin : std::string();
  // A site that joined again after another one was promoted has begun another archive than the one it is now.
  const std::string first = begun == name.archive ? main_log_path() : foreign_log_path(name.archive);
  return MainLogPlace{name, name.epoch == 1 ? first : foreign_log_path(epoch_origin(name)), first};
}

Result<LogChain> open_main_log(store::ObjectStore& objects, store::HeadStore& heads, const EpochName& name) {
  const MainLogPlace place = GREFFE_TRY(find_main_log(heads, name));
  if (name.epoch == 1) return LogChain(LogReader(objects, heads, place.path));
  return LogChain::open(objects, heads, place);
}

LogChain::LogChain(LogReader only) { links_.push_back({{}, {}, 0, std::move(only)}); }

Result<LogChain> LogChain::open(store::ObjectStore& objects, store::HeadStore& heads, const std::string& archive, const std::string& first_path) {
  return open_up_to(objects, heads, {archive, kEpochMax}, first_path);
}

Result<LogChain> LogChain::open(store::ObjectStore& objects, store::HeadStore& heads, const MainLogPlace& newest) {
  LogChain out = GREFFE_TRY(open_up_to(objects, heads, newest.name, newest.first_path));
  if (out.newest().name == newest.name) return out;
  return fail(Errc::not_found, fmt::format("the main log of {} is not in this pool, only that of epoch {}", newest.origin(), out.newest().name.epoch));
}

Result<LogChain> LogChain::open_up_to(store::ObjectStore& objects, store::HeadStore& heads, const EpochName& last, const std::string& first_path) {
  const std::string& archive = last.archive;
  std::vector<Link> links;
  links.push_back({{archive, 1}, first_path, 0, LogReader(objects, heads, first_path)});
  GREFFE_TRY(links.back().reader.checkpoint());
  for (std::uint64_t epoch = 2; epoch <= last.epoch; ++epoch) {
    const EpochName name{archive, epoch};
    const std::string path = foreign_log_path(epoch_origin(name));
    const LogReader log(objects, heads, path);
    const auto head = log.checkpoint();
    if (!head && head.error().code == Errc::not_found) break;
    if (!head) return head.error();
    const PromotionEntry promotion = GREFFE_TRY(read_promotion(links.back(), log, name));
    links.push_back({name, path, links.back().first + promotion.previous.size, log});
  }
  return LogChain(std::move(links));
}

Result<std::uint64_t> LogChain::size() const {
  const SignedCheckpoint head = GREFFE_TRY(checkpoint());
  return newest().first + head.checkpoint.size;
}

LogChain::Place LogChain::place_of(std::uint64_t number) const {
  const auto behind = std::upper_bound(links_.begin(), links_.end(), number, [](std::uint64_t n, const Link& link) { return n < link.first; });
  const Link& link = *std::prev(behind);  // the first one begins at 0
  return {&link, number - link.first};
}

Status LogChain::entries(std::uint64_t first, std::uint64_t last,
                         const std::function<bool(std::uint64_t number, std::string_view entry)>& visit) const {
  bool more = true;
  while (more && first < last) {
    const Link& link = *place_of(first).link;
    const bool is_newest = &link == &newest();
    const std::uint64_t end = is_newest ? last : std::min(last, (&link + 1)->first);
    GREFFE_TRY(link.reader.entries(first - link.first, end - link.first, [&](std::uint64_t index, std::string_view entry) {
      return more = visit(link.first + index, entry);
    }));
    first = end;
  }
  return ok();
}

Result<std::vector<std::string>> LogChain::entries(std::uint64_t first, std::uint64_t last) const {
  std::vector<std::string> out;
  GREFFE_TRY(entries(first, last, [&out](std::uint64_t, std::string_view entry) {
    out.emplace_back(entry);
    return true;
  }));
  return out;
}

Result<Digest> LogChain::root_at(std::uint64_t size) const {
  if (size == 0) return empty_root();
  const Place last = place_of(size - 1);
  return last.link->reader.root_at(last.index + 1);
}

}  // namespace greffe::tlog
