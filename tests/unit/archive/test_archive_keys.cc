#include <catch2/catch.hpp>

#include "archive/archive_keys.h"
#include "tests/unit/archive/sample_archive.h"

TEST_CASE("keys come back from their backup with the recovery code, and only with it") {
  greffe::testing::TemporaryFolder folder;
  greffe::PosixFileSystem files;
  const auto keys = greffe::archive::make_archive_keys(files, folder.path + "/here");
  REQUIRE(keys);
  CHECK(greffe::archive::make_archive_keys(files, folder.path + "/here").error().code == greffe::Errc::already_exists);
  const greffe::archive::KeyBackup backup = greffe::archive::back_up_keys(*keys, "archive.court.example");
  CHECK(backup.file.find("PRIVATE") == std::string::npos);
  REQUIRE(greffe::archive::restore_keys(files, folder.path + "/there", backup.file, backup.recovery_code));
  const auto restored = greffe::archive::load_archive_keys(files, folder.path + "/there");
  REQUIRE(restored);
  CHECK(restored->log.public_key() == keys->log.public_key());
  CHECK(restored->holder.public_key() == keys->holder.public_key());
  CHECK(restored->server.public_key() == keys->server.public_key());

  std::string wrong = backup.recovery_code;
  wrong[0] = wrong[0] == 'A' ? 'B' : 'A';
  CHECK(greffe::archive::restore_keys(files, folder.path + "/x", backup.file, wrong).error().code == greffe::Errc::denied);
  CHECK(greffe::archive::restore_keys(files, folder.path + "/x", backup.file, "short").error().code == greffe::Errc::invalid);
  std::string altered = backup.file;
  altered[altered.find("\"box\":\"") + 20] ^= 1;
  CHECK_FALSE(greffe::archive::restore_keys(files, folder.path + "/x", altered, backup.recovery_code));
  // As typed from paper.
  std::string typed;
  for (const char c : backup.recovery_code) typed += c == '-' ? ' ' : static_cast<char>(std::tolower(c));
  CHECK(greffe::archive::restore_keys(files, folder.path + "/paper", backup.file, typed));
}
