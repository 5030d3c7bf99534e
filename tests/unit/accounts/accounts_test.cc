#include "archive/accounts/accounts.h"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

#include "archive/base/clock.h"
#include "archive/format/canonical_json.h"

using greffe::accounts::Account;
using greffe::accounts::Accounts;
using greffe::accounts::kSessionIdleMs;
using greffe::accounts::kSessionMaxMs;
using greffe::accounts::LogIn;
using greffe::accounts::may_correct;
using greffe::accounts::may_export;
using greffe::accounts::may_find;
using greffe::accounts::may_mark;
using greffe::accounts::may_play;
using greffe::accounts::may_see_log;
using greffe::accounts::may_see_status;
using greffe::accounts::parse_role;
using greffe::accounts::Role;
using greffe::accounts::sees_court;
using greffe::accounts::Session;
using greffe::Errc;
using greffe::UtcTime;

namespace {

class ManualClock : public greffe::Clock {
 public:
  UtcTime utc_now() override { return UtcTime{1'795'000'000'000 + passed_ms_}; }
  std::int64_t monotonic_ms() override { return 5'000 + passed_ms_; }
  std::string boot_id() override { return "boot"; }
  void pass(std::int64_t ms) { passed_ms_ += ms; }

 private:
  std::atomic<std::int64_t> passed_ms_{0};
};

class Directory {
 public:
  Directory() {
    const char* base = std::getenv("TMPDIR");
    std::string path = std::string(base != nullptr ? base : "/tmp") + "/greffe-accounts-XXXXXX";
    REQUIRE(::mkdtemp(path.data()) != nullptr);
    path_ = path;
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

Account clerk(const std::string& name) {
  Account out;
  out.name = name;
  out.display_name = "Zoé Lefèvre";
  out.roles = {Role::clerk};
  out.courts = {"lyon", "besancon"};
  out.language = "fr";
  return out;
}

constexpr const char* kPassword = "correct horse battery";

struct Fixture {
  Directory directory;
  ManualClock clock;
  Accounts accounts = *Accounts::open(directory.file("accounts.sqlite"), clock);

  Session log_in(const std::string& name, std::string& secret) {
    auto result = accounts.log_in(name, kPassword, "10.0.0.1");
    REQUIRE(result);
    REQUIRE(result->outcome == LogIn::Outcome::accepted);
    secret = result->secret;
    return result->session;
  }
};

std::string all_bytes_of(const std::filesystem::path& directory) {
  std::string out;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    std::ifstream in(entry.path(), std::ios::binary);
    out.append(std::istreambuf_iterator<char>(in), {});
  }
  return out;
}

}  // namespace

TEST_CASE("an account is kept as it was given, with a pseudonym that never changes") {
  Fixture f;
  const auto added = f.accounts.add(clerk("zoe.lefevre"), kPassword);
  REQUIRE(added);
  CHECK(added->courts == std::vector<std::string>{"besancon", "lyon"});
  CHECK(added->pseudonym.size() == 18);
  CHECK(added->pseudonym.find("zoe") == std::string::npos);

  Account changed = *added;
  changed.pseudonym = "u-else";
  changed.display_name = "Zoé Noël";
  changed.courts.clear();
  changed.all_courts = true;
  REQUIRE(f.accounts.change(changed));
  const auto found = f.accounts.find("zoe.lefevre");
  REQUIRE(found);
  CHECK(found->display_name == "Zoé Noël");
  CHECK(found->all_courts);
  CHECK(found->pseudonym == added->pseudonym);
  CHECK(f.accounts.find_by_pseudonym(added->pseudonym)->name == "zoe.lefevre");
  CHECK(f.accounts.list()->size() == 1);

  CHECK(f.accounts.add(clerk("zoe.lefevre"), kPassword).error().code == Errc::already_exists);
  CHECK(f.accounts.find("nobody").error().code == Errc::not_found);
  CHECK(f.accounts.change(clerk("nobody")).error().code == Errc::not_found);
  CHECK(f.accounts.set_password("nobody", kPassword).error().code == Errc::not_found);
}

TEST_CASE("an account that breaks a rule is refused with the rule") {
  Fixture f;
  const auto refused = [&f](const Account& account, const char* password = kPassword) {
    const auto result = f.accounts.add(account, password);
    REQUIRE_FALSE(result);
    CHECK(result.error().code == Errc::invalid);
    return result.error().message;
  };
  Account account = clerk("Zoe");
  CHECK(refused(account).find("a-z") != std::string::npos);
  account = clerk(std::string(33, 'a'));
  refused(account);
  account = clerk("a");
  account.display_name = "";
  refused(account);
  account.display_name = "a\nb";
  refused(account);
  account = clerk("a");
  account.roles = {Role::clerk, Role::operator_};
  CHECK(refused(account).find("sees no content") != std::string::npos);
  account.roles = {};
  refused(account);
  account = clerk("a");
  account.all_courts = true;
  refused(account);
  account = clerk("a");
  account.courts = {"Lyon"};
  refused(account);
  account = clerk("a");
  account.language = "de";
  refused(account);
  CHECK(refused(clerk("a"), "short").find("at least 10") != std::string::npos);
  CHECK(refused(clerk("a"), "密码密码密码密码密").find("at least 10") != std::string::npos);  // nine characters
  refused(clerk("a"), std::string(2000, 'x').c_str());
  refused(clerk("a"), "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff");
  CHECK(f.accounts.list()->empty());
}

TEST_CASE("a session lives 8 hours, or 30 minutes without use") {
  Fixture f;
  REQUIRE(f.accounts.add(clerk("zoe"), kPassword));
  std::string secret;
  const Session session = f.log_in("zoe", secret);
  CHECK(secret.size() == 43);
  CHECK(session.id != secret);
  REQUIRE(f.accounts.session(secret));
  CHECK(f.accounts.session(secret)->id == session.id);
  CHECK(f.accounts.session(secret)->account.name == "zoe");
  CHECK(f.accounts.session(secret + "x").error().code == Errc::denied);
  CHECK(f.accounts.session("").error().code == Errc::denied);

  SECTION("use keeps it, up to the absolute end") {
    for (int i = 0; i < 15; ++i) {
      f.clock.pass(29 * 60'000);
      REQUIRE(f.accounts.session(secret));
    }
    f.clock.pass(29 * 60'000);
    REQUIRE(f.accounts.session(secret));
    f.clock.pass(kSessionMaxMs - 16 * 29 * 60'000);
    CHECK_FALSE(f.accounts.session(secret));
  }
  SECTION("not used, it ends") {
    f.clock.pass(kSessionIdleMs);
    CHECK_FALSE(f.accounts.session(secret));
    f.clock.pass(-kSessionIdleMs);
    CHECK_FALSE(f.accounts.session(secret));  // gone, not only refused
  }
  SECTION("logging out, a new password and disabling end it") {
    std::string other;
    f.log_in("zoe", other);
    REQUIRE(f.accounts.end_session(secret));
    REQUIRE(f.accounts.end_session("never there"));
    CHECK_FALSE(f.accounts.session(secret));
    REQUIRE(f.accounts.session(other));
    REQUIRE(f.accounts.set_password("zoe", "another password"));
    CHECK_FALSE(f.accounts.session(other));
    CHECK(f.accounts.log_in("zoe", kPassword, "r")->outcome == LogIn::Outcome::refused);

    const auto again = f.accounts.log_in("zoe", "another password", "r");
    Account account = *f.accounts.find("zoe");
    account.disabled = true;
    REQUIRE(f.accounts.change(account));
    CHECK_FALSE(f.accounts.session(again->secret));
    CHECK(f.accounts.log_in("zoe", "another password", "r")->outcome == LogIn::Outcome::refused);
  }
  SECTION("it outlives the process") {
    f.accounts = *Accounts::open(f.directory.file("accounts.sqlite"), f.clock);
    CHECK(f.accounts.session(secret));
  }
}

TEST_CASE("no password, session secret or token is on disk") {
  Fixture f;
  REQUIRE(f.accounts.add(clerk("zoe"), kPassword));
  std::string secret;
  f.log_in("zoe", secret);
  const auto token = f.accounts.add_token("zoe", "nightly export", UtcTime{f.clock.utc_now().ms + 1000});
  REQUIRE(token);
  const std::string bytes = all_bytes_of(std::filesystem::path(f.directory.file("x")).parent_path());
  REQUIRE(bytes.find("Lefèvre") != std::string::npos);
  CHECK(bytes.find(kPassword) == std::string::npos);
  CHECK(bytes.find(secret) == std::string::npos);
  CHECK(bytes.find(token->secret) == std::string::npos);
  CHECK(bytes.find(token->secret.substr(4)) == std::string::npos);

  struct ::stat info {};
  REQUIRE(::stat(f.directory.file("accounts.sqlite").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
}

TEST_CASE("guessing is slowed down, for accounts that exist and for those that do not") {
  Fixture f;
  REQUIRE(f.accounts.add(clerk("zoe"), kPassword));
  const std::string name = GENERATE(as<std::string>{}, "zoe", "nobody");
  for (int i = 0; i < 4; ++i) {
    const auto result = f.accounts.log_in(name, "wrong password", "10.0.0." + std::to_string(i));
    CHECK(result->outcome == LogIn::Outcome::refused);
  }
  auto result = f.accounts.log_in(name, kPassword, "10.0.0.9");
  CHECK(result->outcome == LogIn::Outcome::wait);
  CHECK(result->retry_after_s == 1);
  f.clock.pass(1000);
  CHECK(f.accounts.log_in(name, "wrong password", "r")->outcome == LogIn::Outcome::refused);
  CHECK(f.accounts.log_in(name, "wrong password", "r")->retry_after_s == 2);
  f.clock.pass(2000);
  result = f.accounts.log_in(name, kPassword, "r");
  CHECK((result->outcome == LogIn::Outcome::accepted) == (name == "zoe"));
  if (name == "zoe") CHECK(f.accounts.log_in(name, "wrong password", "r")->outcome == LogIn::Outcome::refused);
}

TEST_CASE("an address that goes on failing waits for every account") {
  Fixture f;
  int refused = 0;
  for (int i = 0; i < 30; ++i) {
    const auto result = f.accounts.log_in("name" + std::to_string(i), "wrong password", "10.0.0.1");
    if (result->outcome == LogIn::Outcome::refused) ++refused;
  }
  CHECK(refused == 21);
  CHECK(f.accounts.log_in("fresh", "wrong password", "10.0.0.1")->outcome == LogIn::Outcome::wait);
  CHECK(f.accounts.log_in("fresh", "wrong password", "10.0.0.2")->outcome == LogIn::Outcome::refused);
}

TEST_CASE("a token works until it expires, is revoked, or its account is disabled") {
  Fixture f;
  REQUIRE(f.accounts.add(clerk("zoe"), kPassword));
  const UtcTime expires{f.clock.utc_now().ms + 60'000};
  const auto made = f.accounts.add_token("zoe", "export", expires);
  REQUIRE(made);
  CHECK(made->secret.substr(0, 4) == "grf_");
  const auto session = f.accounts.token_session(made->secret);
  REQUIRE(session);
  CHECK(session->account.name == "zoe");
  CHECK(session->id == made->token.id);
  CHECK(session->expires == expires);
  CHECK(f.accounts.token_session(made->secret.substr(4)).error().code == Errc::denied);
  CHECK(f.accounts.session(made->secret).error().code == Errc::denied);
  CHECK(f.accounts.tokens()->size() == 1);
  CHECK(f.accounts.add_token("nobody", "x", expires).error().code == Errc::not_found);
  CHECK(f.accounts.add_token("zoe", "x", f.clock.utc_now()).error().code == Errc::invalid);

  SECTION("expired") {
    f.clock.pass(60'000);
    CHECK_FALSE(f.accounts.token_session(made->secret));
  }
  SECTION("revoked") {
    REQUIRE(f.accounts.revoke_token(made->token.id));
    CHECK_FALSE(f.accounts.token_session(made->secret));
    CHECK(f.accounts.revoke_token(made->token.id).error().code == Errc::not_found);
  }
  SECTION("disabled") {
    Account account = *f.accounts.find("zoe");
    account.disabled = true;
    REQUIRE(f.accounts.change(account));
    CHECK_FALSE(f.accounts.token_session(made->secret));
  }
}

TEST_CASE("rights follow the role and the court") {
  struct Expectation {
    Role role;
    bool find, play, mark, correct, export_, log, status;
  };
  const auto one = GENERATE(Expectation{Role::clerk, true, true, true, true, true, false, false},
                            Expectation{Role::judge, true, true, true, false, false, false, false},
                            Expectation{Role::auditor, true, true, false, false, true, true, true},
                            Expectation{Role::operator_, false, false, false, false, false, true, true});
  Account account = clerk("a");
  account.roles = {one.role};
  CHECK(may_find(account) == one.find);
  CHECK(may_play(account, "lyon") == one.play);
  CHECK(may_mark(account, "lyon") == one.mark);
  CHECK(may_correct(account, "lyon") == one.correct);
  CHECK(may_export(account, "lyon") == one.export_);
  CHECK(greffe::accounts::may_share(account, "lyon") == one.correct);
  CHECK(may_see_log(account) == one.log);
  CHECK(may_see_status(account) == one.status);
  CHECK_FALSE(may_play(account, "paris"));
  CHECK_FALSE(may_mark(account, "paris"));
  CHECK_FALSE(may_correct(account, "paris"));
  CHECK_FALSE(may_export(account, "paris"));
  CHECK_FALSE(greffe::accounts::may_share(account, "paris"));
  account.courts.clear();
  CHECK_FALSE(sees_court(account, "lyon"));
  account.all_courts = true;
  CHECK(sees_court(account, "paris"));
  CHECK(may_play(account, "paris") == one.play);
  account.disabled = true;
  CHECK_FALSE(may_find(account));
  CHECK_FALSE(may_play(account, "paris"));
  CHECK_FALSE(may_see_status(account));
  CHECK(*parse_role(name_of(one.role)) == one.role);
  CHECK_FALSE(parse_role("admin"));
}

TEST_CASE("a snapshot restores every account and token, and nothing else stays") {
  Fixture f;
  REQUIRE(f.accounts.add(clerk("zoe"), kPassword));
  Account auditor = clerk("li.wei");
  auditor.display_name = "李伟 \"审\"";
  auditor.roles = {Role::auditor, Role::judge};
  REQUIRE(f.accounts.add(auditor, kPassword));
  Account disabled = *f.accounts.find("li.wei");
  disabled.disabled = true;
  REQUIRE(f.accounts.change(disabled));
  const auto token = f.accounts.add_token("zoe", "export", UtcTime{f.clock.utc_now().ms + 60'000});
  const auto snapshot = f.accounts.snapshot();
  REQUIRE(snapshot);
  CHECK(greffe::parse_canonical_json(*snapshot));
  CHECK(greffe::named_objects(*greffe::parse_json(*snapshot)).empty());
  CHECK(*f.accounts.snapshot() != *snapshot);  // a fresh salt hides that nothing changed

  auto copy = *Accounts::open(f.directory.file("copy.sqlite"), f.clock);
  REQUIRE(copy.restore(*snapshot));
  CHECK(copy.list()->size() == 2);
  CHECK(copy.find("li.wei")->disabled);
  CHECK(copy.find("li.wei")->roles == std::set<Role>{Role::auditor, Role::judge});
  CHECK(copy.find("zoe")->pseudonym == f.accounts.find("zoe")->pseudonym);
  CHECK(copy.token_session(token->secret));
  CHECK(copy.log_in("zoe", kPassword, "r")->outcome == LogIn::Outcome::accepted);

  // A newer one takes the place of what is there: nobody keeps a session or a right that it does not have.
  const auto session = copy.log_in("zoe", kPassword, "r");
  REQUIRE(copy.session(session->secret));
  REQUIRE(f.accounts.revoke_token(token->token.id));
  REQUIRE(f.accounts.set_password("zoe", "another long password"));
  REQUIRE(copy.restore(*f.accounts.snapshot()));
  CHECK(copy.list()->size() == 2);
  CHECK_FALSE(copy.session(session->secret));
  CHECK_FALSE(copy.token_session(token->secret));
  CHECK(copy.log_in("zoe", kPassword, "r")->outcome == LogIn::Outcome::refused);
  CHECK(copy.restore("{}").error().code == Errc::invalid);
  CHECK(copy.list()->size() == 2);

  auto empty = *Accounts::open(f.directory.file("empty.sqlite"), f.clock);
  for (const std::string& bad : std::vector<std::string>{
           "", "{}", snapshot->substr(0, snapshot->size() - 1), *snapshot + " ",
           R"({"accounts":[{"name":"a"}],"kind":"accounts","salt":"00","tokens":[],"v":1})"}) {
    CHECK(empty.restore(bad).error().code == Errc::invalid);
  }
  // A hash with other parameters could take all memory at the first log-in.
  std::string costly = *snapshot;
  costly.replace(costly.find("m=65536"), 7, "m=99999");
  CHECK(empty.restore(costly).error().code == Errc::invalid);
  CHECK(empty.list()->empty());
}

TEST_CASE("a damaged or foreign accounts file is not opened") {
  Fixture f;
  std::ofstream(f.directory.file("text.sqlite")) << "this is not a database, however long it may be";
  CHECK(Accounts::open(f.directory.file("text.sqlite"), f.clock).error().code == Errc::corrupt);
  CHECK_FALSE(Accounts::open(f.directory.file("no/such/folder.sqlite"), f.clock));
}

TEST_CASE("many log-ins at once all get an answer") {
  Fixture f;
  REQUIRE(f.accounts.add(clerk("zoe"), kPassword));
  std::atomic<int> accepted{0}, waiting{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&f, &accepted, &waiting, i] {
      const auto result = f.accounts.log_in("zoe", kPassword, "10.0.1." + std::to_string(i));
      if (result && result->outcome == LogIn::Outcome::accepted && f.accounts.session(result->secret)) ++accepted;
      if (result && result->outcome == LogIn::Outcome::wait) ++waiting;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(accepted + waiting == 3);
  CHECK(accepted >= 1);
}

TEST_CASE("an unknown account takes as long as a known one", "[long]") {
  Fixture f;
  REQUIRE(f.accounts.add(clerk("zoe"), kPassword));
  const auto seconds = [&f](const std::string& name, const std::string& remote) {
    const auto begin = std::chrono::steady_clock::now();
    CHECK(f.accounts.log_in(name, "wrong password", remote)->outcome == LogIn::Outcome::refused);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  double known = 1e9, unknown = 1e9;
  for (int i = 0; i < 3; ++i) {
    known = std::min(known, seconds("zoe", "a"));
    unknown = std::min(unknown, seconds("nobody", "b"));
  }
  CHECK(unknown > known * 0.7);
  CHECK(unknown < known * 1.5);
}
