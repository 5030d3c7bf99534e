// The accounts as the main log has them: each change is stored as an object that an `account` entry names, so that a lost machine
// loses none, and another one that takes over a pool knows the same people. Thread-safe.
#ifndef GREFFE_ARCHIVE_ACCOUNT_SNAPSHOTS_H
#define GREFFE_ARCHIVE_ACCOUNT_SNAPSHOTS_H

#include <mutex>
#include <string>

#include "archive/accounts/accounts.h"
#include "archive/main_log.h"

namespace greffe::archive {

class AccountSnapshots {
 public:
  // Which snapshot the accounts of this machine are, is kept in "<state>/accounts-snapshot". All must outlive this object.
  AccountSnapshots(FileSystem& files, Clock& clock, Stores stores, MainLog& main_log, accounts::Accounts& accounts, const std::string& state_directory);

  // Before anybody is served: where the main log names another snapshot than this machine has, that one takes the place of its
  // accounts. True: it did. not_found, corrupt: the pool has no good copy of it.
  Result<bool> take_up();
  // After every change of accounts. ok: it is durable and in the log.
  Status store();

 private:
  Status remember(const Digest& snapshot) const;

  FileSystem& files_;
  Clock& clock_;
  const Stores stores_;
  MainLog& main_log_;
  accounts::Accounts& accounts_;
  const std::string path_;
  std::mutex storing_;  // held over a whole store(): the newest entry must name the newest accounts
};

}  // namespace greffe::archive

#endif
