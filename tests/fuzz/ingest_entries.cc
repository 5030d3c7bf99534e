// The file `entries` of a hearing after a crash: whatever is in it, recovery keeps whole entries, puts every other byte
// into quarantine, and what it has signed reads back.
#include <cstdint>

#include "ingest/spool.h"
#include "tests/unit/support/forgetful_file_system.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace greffe;
  static const PrivateKey key = PrivateKey::generate();
  static const HearingId id = make_hearing_id(UtcTime{1'795'338'000'000});
  testing::ForgetfulFileSystem files;
  const ingest::SpoolPaths paths{"/spool/" + id.text()};
  GREFFE_CHECK(ingest::HearingSpool::create(files, paths));
  GREFFE_CHECK(files.write_new(paths.object(sha256({})), {}));
  GREFFE_CHECK(files.write_new(paths.entries(), {bytes, size}));
  {
    const auto spool = ingest::HearingSpool::open(files, paths, id, "archive.court.example", key);
    if (!spool) return 0;
  }
  const auto log = read_signed_log(files, paths);
  GREFFE_CHECK(log);
  std::uint64_t kept = 0;
  for (const std::string& entry : log->entries) kept += 2 + entry.size();
  const auto quarantine = files.list(paths.quarantine());
  GREFFE_CHECK(quarantine);
  for (const std::string& name : *quarantine) kept += files.stat(join(paths.quarantine(), name))->size;
  GREFFE_CHECK(kept == size);
  return 0;
}
