#include "archive/held_archives.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "archive/catalogue/query.h"
#include "archive/share_counterparts.h"
#include "archive/tlog/copied_main_log.h"

namespace greffe::archive {
namespace {

constexpr std::chrono::milliseconds kLookEvery(2000);
constexpr std::size_t kSharesAtOnce = 200;

// Where a page over several archives ends: the place that every catalogue orders by, and which of the archives had it.
struct PageEnd {
  catalogue::Cursor at;
  std::size_t archive = 0;  // its number in all()
  std::string text() const { return fmt::format("{}.{}", at.text(), archive); }
};

Result<PageEnd> parse_page_end(std::string_view text) {
  const std::size_t dot = text.rfind('.');
  const auto archive = dot == std::string_view::npos ? Result<std::uint64_t>(fail(Errc::invalid, "")) : parse_decimal(text.substr(dot + 1));
  if (!archive) return fail(Errc::invalid, "this is not a cursor of a result page: start again from the first page");
  const catalogue::Cursor at = GREFFE_TRY(catalogue::parse_cursor(text.substr(0, dot)));
  return PageEnd{at, static_cast<std::size_t>(*archive)};
}

// What comes first on a page: exact case numbers, then what is newest, then the archives in their order.
bool comes_before(const PageEnd& a, const PageEnd& b) {
  if (a.at.exact != b.at.exact) return a.at.exact;
  if (a.at.row != b.at.row) return a.at.row > b.at.row;
  return a.archive < b.archive;
}

// Where archive number `number` goes on behind `end`: of what stands at the same place, those of later archives are still to come.
std::string cursor_of(const PageEnd& end, std::size_t number) {
  catalogue::Cursor out = end.at;
  if (number > end.archive) ++out.row;
  return out.text();
}

}  // namespace

std::string copied_catalogue_path(const std::string& state_directory, const std::string& name) {
  return join(state_directory, "catalogue-" + sha256(as_bytes(name)).hex().substr(0, 16) + ".sqlite");
}

std::string HeldArchive::court_here(const std::string& court) const {
  if (court.find('/') == std::string::npos) return own ? court : name + "/" + court;
  return court.starts_with(site + "/") ? court.substr(site.size() + 1) : court;
}

catalogue::CourtSet HeldArchive::seen_by(const accounts::Account& account) const {
  if (account.all_courts) return catalogue::CourtSet::everything();
  catalogue::CourtSet out;
  out.now = asked;
  const std::string prefix = name + "/";
  for (const std::string& court : account.courts) {
    const std::string whole = court.find('/') == std::string::npos ? site + "/" + court : court;
    const bool of_it = own ? whole != court : whole.starts_with(prefix);
    if (!of_it) {
      out.guests.push_back(whole);
      continue;
    }
    const std::string code = whole.substr(prefix.size());
    if (code == accounts::kAllCourts) return catalogue::CourtSet::everything();
    out.names.push_back(code);
    out.guests.push_back(code);
  }
  return out;
}

struct HeldArchives::Copy {
  Copy(std::string archive, const PublicKey& key, std::string catalogue_path) : name(std::move(archive)), first_key(key), path(std::move(catalogue_path)) {}
  const std::string name;
  const PublicKey first_key;  // signs the log of the first epoch
  const std::string path;
  // Guarded by mutex_.
  std::shared_ptr<const catalogue::Catalogue> catalogue;  // none: not made yet
  std::optional<tlog::LogChain> chain;                    // none: nothing is held of it yet
  PublicKey newest_key;                                   // signs the log of its newest epoch
  std::shared_ptr<OfficerEntries> officers;               // of that chain
  // Of the thread alone.
  std::optional<catalogue::CatalogueBuilder> builder;
  std::uint64_t shares_looked_at = 0;  // entries of its main log
  std::string said;                // what stands in its way, as it was logged last
  std::string said_of_shares;
};

HeldArchives::HeldArchives(Clock& clock, FileSystem& files, Log& log, Stores stores, MainLog& own, const PublicKey& own_log_key, std::string state_directory)
    : clock_(clock), files_(files), log_(log), stores_(stores), own_(own), own_log_key_(own_log_key), state_directory_(std::move(state_directory)) {}

HeldArchives::~HeldArchives() { stop(); }

void HeldArchives::start() {
  thread_ = std::jthread([this](std::stop_token stop) { run(std::move(stop)); });
}

void HeldArchives::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void HeldArchives::run(std::stop_token stop) {
  name_thread("gr-copies");
  std::mutex mutex;
  std::condition_variable_any wakes;
  while (!stop.stop_requested()) {
    const Status looked = look_for_copies();
    if (!looked) log_.warn(looked.error().within("the archives whose copies are held here").message);
    std::vector<std::shared_ptr<Copy>> copies;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [name, copy] : copies_) copies.push_back(copy);
    }
    for (const auto& copy : copies) {
      follow(*copy, stop);
      file_counterparts(*copy);
    }
    std::unique_lock lock(mutex);
    wakes.wait_for(lock, stop, kLookEvery, [] { return false; });
  }
}

Status HeldArchives::look_for_copies() {
  const std::vector<catalogue::KnownKey> keys = GREFFE_TRY(own_.catalogue().keys("origin"));
  std::map<std::string, PublicKey> wanted;
  for (const catalogue::KnownKey& key : keys) {
    if (!key.revoked_since) wanted[key.name] = key.key;
  }
  const std::lock_guard lock(mutex_);
  std::erase_if(copies_, [&](const auto& held) {
    const auto found = wanted.find(held.first);
    return found == wanted.end() || found->second != held.second->first_key;
  });
  for (const auto& [name, key] : wanted) {
    if (copies_.contains(name)) continue;
    copies_[name] = std::make_shared<Copy>(name, key, copied_catalogue_path(state_directory_, name));
  }
  return ok();
}

// Only the thread writes the chain, so that it reads it without the lock.
Status HeldArchives::look_for_epochs(Copy& copy) {
  if (copy.chain) {
    const std::string next = foreign_log_path(epoch_origin({copy.name, copy.chain->newest().name.epoch + 1}));
    const auto begun = stores_.heads.read_head(checkpoint_path(next));
    if (!begun && begun.error().code == Errc::not_found) return ok();
    if (!begun) return begun.error();
  }
  tlog::LogChain chain = GREFFE_TRY(tlog::open_copied_log(stores_.objects, stores_.heads, copy.name));
  const std::vector<tlog::SignedLog> logs = GREFFE_TRY(tlog::signed_logs(chain, {copy.name, KeyType::ed25519, copy.first_key}));
  const std::lock_guard lock(mutex_);
  copy.chain.emplace(std::move(chain));
  copy.newest_key = logs.back().key.key;
  copy.officers = std::make_shared<OfficerEntries>();
  return ok();
}

void HeldArchives::follow(Copy& copy, const std::stop_token& stop) {
  const Status looked = look_for_epochs(copy);
  Status followed = ok();
  if (!looked) {
    if (looked.error().code != Errc::not_found) followed = looked;  // not_found: nothing has come of it yet
  } else if (copy.builder) {
    followed = catalogue::catch_up(*copy.builder, *copy.chain);
  } else {
    catalogue::Sources sources = catalogue_sources(stores_);
    // What takes minutes ends when the archive does.
    sources.hearing = [read = sources.hearing, stop](const HearingId& id, std::uint64_t first, std::uint64_t last, const auto& visit) -> Status {
      if (stop.stop_requested()) return fail(Errc::cancelled, "the archive stops");
      return read(id, first, last, visit);
    };
    sources.finished = [read = sources.finished, stop](const HearingId& id, const Checkpoint& end, std::span<const std::uint64_t> indices)
        -> Result<std::vector<std::string>> {
      if (stop.stop_requested()) return fail(Errc::cancelled, "the archive stops");
      return read(id, end, indices);
    };
    auto opened = catalogue::open_or_rebuild(files_, copy.path, sources, *copy.chain);
    auto reading = opened ? catalogue::Catalogue::open(copy.path) : Result<catalogue::Catalogue>(opened.error());
    if (reading) {
      copy.builder.emplace(std::move(opened->builder));
      const std::lock_guard lock(mutex_);
      copy.catalogue = std::make_shared<const catalogue::Catalogue>(*std::move(reading));
    } else {
      followed = reading.error();
    }
  }
  // What could not follow is opened anew, and rebuilt if need be.
  if (!followed) copy.builder.reset();
  const std::string words = followed || stop.stop_requested() ? std::string() : followed.error().within("the catalogue of the copy of " + copy.name).message;
  if (!words.empty() && words != copy.said) log_.warn(words);
  copy.said = words;
}

// Begun again from the first entry at each start: what is filed already is found, whatever a crash cut short.
void HeldArchives::file_counterparts(Copy& copy) {
  if (!copy.catalogue || !copy.chain) return;  // this thread alone sets them
  const Status filed = file_shares(copy);
  const std::string words = filed ? std::string() : filed.error().within("what " + copy.name + " shares with courts here is not in this archive's log yet").message;
  if (!words.empty() && words != copy.said_of_shares) log_.warn(words);
  copy.said_of_shares = words;
}

Status HeldArchives::file_shares(Copy& copy) {
  for (bool more = true; more;) {
    const SharesFound found = GREFFE_TRY(shares_with(own_.archive_name(), copy.name, *copy.catalogue, *copy.chain, copy.shares_looked_at, kSharesAtOnce));
    std::vector<ShareEntry> shares;
    for (const FoundShare& one : found.shares) shares.push_back(one.share);
    GREFFE_TRY(archive::file_counterparts(own_, shares));
    copy.shares_looked_at = found.looked_at;
    more = shares.size() == kSharesAtOnce;
  }
  return ok();
}

HeldArchive HeldArchives::own() const {
  const std::string& site = own_.archive_name();
  // The catalogue belongs to the main log, which outlives this.
  return {site, true, std::shared_ptr<const catalogue::Catalogue>(std::shared_ptr<void>(), &own_.catalogue()), own_.chain(), own_.place().path, own_log_key_, site,
          clock_.utc_now(), own_officers_};
}

std::vector<HeldArchive> HeldArchives::all() const {
  std::vector<HeldArchive> out;
  out.push_back(own());
  const std::string site = out.front().site;
  const UtcTime now = out.front().asked;
  const std::lock_guard lock(mutex_);
  for (const auto& [name, copy] : copies_) {
    if (copy->catalogue) out.push_back({name, false, copy->catalogue, *copy->chain, copy->chain->newest().path, copy->newest_key, site, now, copy->officers});
  }
  return out;
}

Result<HeldArchive> HeldArchives::named(const std::string& name) const {
  for (HeldArchive& one : all()) {
    if (one.name == name) return std::move(one);
  }
  return fail(Errc::not_found, "no archive of that name is held here");
}

Result<HeldArchives::Page> HeldArchives::find(catalogue::HearingQuery query, const accounts::Account& account) const {
  const std::vector<HeldArchive> archives = all();
  std::optional<PageEnd> end;
  if (!query.cursor.empty()) end = GREFFE_TRY(parse_page_end(query.cursor));
  const std::string court = query.court;
  struct Hit {
    PageEnd place;
    Row row;
  };
  std::vector<Hit> hits;
  Page page;
  bool more = false;
  for (std::size_t number = 0; number < archives.size(); ++number) {
    const HeldArchive& archive = archives[number];
    if (!court.empty()) {
      const std::string prefix = archive.name + "/";
      const bool here = archive.own ? court.find('/') == std::string::npos : court.starts_with(prefix);
      if (!here) continue;
      query.court = archive.own ? court : court.substr(prefix.size());
    }
    query.cursor = end ? cursor_of(*end, number) : std::string();
    catalogue::HearingPage found = GREFFE_TRY(archive.catalogue->find(query, archive.seen_by(account)));
    page.count += found.count;
    page.count_is_exact = page.count_is_exact && found.count_is_exact;
    more = more || found.next_cursor;
    for (catalogue::HearingRow& row : found.hearings) {
      const catalogue::Cursor at = GREFFE_TRY(catalogue::parse_cursor(row.cursor));
      row.court = archive.court_here(row.court);
      hits.push_back({{at, number}, {archive.own ? std::string() : archive.name, std::move(row)}});
    }
  }
  std::sort(hits.begin(), hits.end(), [](const Hit& a, const Hit& b) { return comes_before(a.place, b.place); });
  if (hits.size() > query.limit) {
    more = true;
    hits.resize(query.limit);
  }
  if (more && !hits.empty()) page.next_cursor = hits.back().place.text();
  for (Hit& hit : hits) page.hearings.push_back(std::move(hit.row));
  return page;
}

Result<FoundHearing> HeldArchives::hearing(const HearingId& id, const accounts::Account& account) const {
  Error missing = fail(Errc::not_found, "");
  for (HeldArchive& archive : all()) {
    auto record = archive.catalogue->hearing(id, archive.seen_by(account));
    if (record) {
      record->row.court = archive.court_here(record->row.court);
      return FoundHearing{std::move(archive), *std::move(record)};
    }
    if (record.error().code != Errc::not_found) return record.error();
    missing = record.error();
  }
  return missing;
}

Result<std::vector<catalogue::Mark>> HeldArchives::marks(const HearingId& id) const {
  Error missing = fail(Errc::not_found, "");
  for (const HeldArchive& archive : all()) {
    auto marks = archive.catalogue->marks(id, catalogue::CourtSet::everything());
    if (marks || marks.error().code != Errc::not_found) return marks;
    missing = marks.error();
  }
  return missing;
}

Result<std::vector<catalogue::Court>> HeldArchives::places() const {
  std::vector<catalogue::Court> out;
  for (const HeldArchive& archive : all()) {
    std::vector<catalogue::Court> courts = GREFFE_TRY(archive.catalogue->places());
    for (catalogue::Court& court : courts) {
      court.court = archive.court_here(court.court);
      out.push_back(std::move(court));
    }
  }
  return out;
}

}  // namespace greffe::archive
