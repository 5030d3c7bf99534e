#include "archive/account_snapshots.h"

#include "archive/store_document.h"

namespace greffe::archive {
namespace {

constexpr std::uint64_t kRememberedBytesMax = 128;

}  // namespace

AccountSnapshots::AccountSnapshots(FileSystem& files, Clock& clock, Stores stores, MainLog& main_log, accounts::Accounts& accounts,
                                   const std::string& state_directory)
    : files_(files), clock_(clock), stores_(stores), main_log_(main_log), accounts_(accounts), path_(join(state_directory, "accounts-snapshot")) {}

// A crash before the last step does it again at the next start.
Result<bool> AccountSnapshots::take_up() {
  catalogue::EntryQuery query;
  query.kind = "account";
  query.limit = 1;
  const std::vector<std::uint64_t> newest = GREFFE_TRY(main_log_.catalogue().entries(query));
  if (newest.empty()) return false;
  const std::vector<std::string> texts = GREFFE_TRY(main_log_.chain().entries(newest.front(), newest.front() + 1));
  const MainEntry parsed = GREFFE_TRY(parse_main_entry(texts.front()));
  const auto* const entry = std::get_if<AccountEntry>(&parsed);
  GREFFE_CHECK(entry != nullptr);
  const auto known = files_.read_file(path_, kRememberedBytesMax);
  if (!known && known.error().code != Errc::not_found) return known.error();
  if (known && as_text(*known) == entry->snapshot.hex() + "\n") return false;
  const auto snapshot = stores_.objects.read_object(entry->snapshot);
  if (!snapshot) return snapshot.error().within("the newest snapshot of the accounts, which this machine lacks");
  GREFFE_TRY(accounts_.restore(as_text(*snapshot)));
  GREFFE_TRY(remember(entry->snapshot));
  return true;
}

Status AccountSnapshots::store() {
  const std::lock_guard lock(storing_);
  const std::string snapshot = GREFFE_TRY(accounts_.snapshot());
  AccountEntry entry;
  entry.snapshot = GREFFE_TRY(store_document(stores_.objects, snapshot));
  entry.utc = clock_.utc_now();
  GREFFE_TRY(main_log_.append(entry));
  return remember(entry.snapshot);
}

Status AccountSnapshots::remember(const Digest& snapshot) const { return files_.replace(path_, as_bytes(snapshot.hex() + "\n"), 0600); }

}  // namespace greffe::archive
