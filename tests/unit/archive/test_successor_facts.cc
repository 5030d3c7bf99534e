// What stations are told of the epochs before, when a part of the pool cannot be read just then.
#include <filesystem>

#include "archive/successor_facts.h"
#include "archive/tlog/kept_checkpoints.h"
#include "tests/unit/archive/promoted_archive.h"

using greffe::testing::PromotedArchive;
namespace archive = greffe::archive;

namespace {

// More of the old epoch has come back, so that its end stands in a checkpoint that was kept.
struct Told {
  Told() {
    promoted.old.add(greffe::testing::key_entry("station", "station-9", greffe::PrivateKey::generate().public_key()));
    promoted.bring_main();
    for (const auto& file : std::filesystem::recursive_directory_iterator(promoted.site.folder.path)) {
      if (file.path().string().ends_with(greffe::tlog::kept_checkpoint_path(greffe::foreign_log_path(promoted.site.name), promoted.pin))) kept.push_back(file.path());
    }
    REQUIRE(kept.size() == 3);
  }
  std::vector<std::string> ends() {
    const auto told = facts.now();
    INFO((told ? std::string() : told.error().message));
    REQUIRE(told);
    return told->ends;
  }
  void write_kept(const std::string& text) {
    for (const std::filesystem::path& path : kept) {
      std::filesystem::remove(path);
      REQUIRE(files.replace(path.string(), greffe::as_bytes(text), 0600));
    }
  }

  PromotedArchive promoted;
  greffe::PosixFileSystem files;
  archive::HeldArchives archives{promoted.site.clock, promoted.site.files, promoted.site.log, promoted.site.stores(), *promoted.site.main_log,
                                 promoted.site.keys->log.public_key(), promoted.site.folder.path + "/state"};
  archive::OtherSites sites{promoted.site.files, promoted.site.folder.path + "/state", promoted.site.name, promoted.site.keys->server};
  archive::SuccessorFacts facts{promoted.site.stores(), archives, sites};
  std::vector<std::filesystem::path> kept;
};

}  // namespace

TEST_CASE("the end of an epoch that could not be read just then is told when it can be") {
  Told told;
  told.write_kept("this is no checkpoint");
  CHECK(told.ends().empty());
  const std::string end = told.promoted.old.note(told.promoted.pin);
  told.write_kept(end);
  CHECK(told.ends() == std::vector<std::string>{end});
  told.write_kept("this is no checkpoint");
  CHECK(told.ends() == std::vector<std::string>{end});  // it changes no more, and is not read again
}
