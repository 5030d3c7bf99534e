// Accounts on two machines with one main log: whoever takes over has those that the log names.
#include <catch2/catch.hpp>

#include "archive/account_snapshots.h"
#include "tests/unit/archive/sample_archive.h"

using greffe::accounts::Account;
using greffe::accounts::Accounts;
using greffe::archive::AccountSnapshots;
using greffe::testing::SampleArchive;

namespace {

constexpr const char* kPassword = "correct horse battery";

// What one machine has of its own.
struct Machine {
  Machine(SampleArchive& archive, const std::string& name)
      : state(archive.folder.path + "/" + name), accounts(make(archive, state)),
        snapshots(archive.files, archive.clock, archive.stores(), *archive.main_log, accounts, state) {}
  static Accounts make(SampleArchive& archive, const std::string& state) {
    REQUIRE(archive.files.make_directories(state));
    return std::move(*Accounts::open(state + "/accounts.sqlite", archive.clock));
  }
  void add(const std::string& name) {
    Account account;
    account.name = name;
    account.display_name = name;
    account.roles = {greffe::accounts::Role::clerk};
    account.all_courts = true;
    account.language = "en";
    REQUIRE(accounts.add(account, kPassword));
  }

  const std::string state;
  Accounts accounts;
  AccountSnapshots snapshots;
};

}  // namespace

TEST_CASE("a machine takes up the accounts that the main log names, once") {
  SampleArchive archive;
  Machine a(archive, "a");
  Machine b(archive, "b");
  CHECK_FALSE(*b.snapshots.take_up());  // nobody has an account
  a.add("zoe");
  REQUIRE(a.snapshots.store());
  CHECK_FALSE(*a.snapshots.take_up());  // its own
  CHECK(*b.snapshots.take_up());
  CHECK(b.accounts.find("zoe")->pseudonym == a.accounts.find("zoe")->pseudonym);
  CHECK_FALSE(*b.snapshots.take_up());

  // b writes, a comes back: a change that was never acknowledged does not count, nor does a session of before.
  const auto session = a.accounts.log_in("zoe", kPassword, "r");
  REQUIRE(a.accounts.session(session->secret));
  a.add("never-stored");
  b.add("li.wei");
  REQUIRE(b.accounts.set_password("zoe", "another long password"));
  REQUIRE(b.snapshots.store());
  CHECK(*a.snapshots.take_up());
  CHECK(a.accounts.list()->size() == 2);
  CHECK(a.accounts.find("li.wei"));
  CHECK_FALSE(a.accounts.session(session->secret));
  CHECK(a.accounts.log_in("zoe", "another long password", "r")->outcome == greffe::accounts::LogIn::Outcome::accepted);
}

TEST_CASE("a machine whose accounts are lost gets them back") {
  SampleArchive archive;
  {
    Machine a(archive, "a");
    a.add("zoe");
    REQUIRE(a.snapshots.store());
  }
  REQUIRE(archive.files.remove(archive.folder.path + "/a/accounts-snapshot"));
  Machine again(archive, "a");
  CHECK(*again.snapshots.take_up());
  CHECK(again.accounts.find("zoe"));
}
