// import-<n>.json in the spool: written and read again it is the same.
#include <cstdint>

#include "archive/base/result.h"
#include "ingest/import_plan.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto record = greffe::ingest::parse_import_record({reinterpret_cast<const char*>(bytes), size});
  if (!record) return 0;
  const std::string written = greffe::ingest::write_import_record(*record);
  const auto again = greffe::ingest::parse_import_record(written);
  GREFFE_CHECK(again && greffe::ingest::write_import_record(*again) == written);
  return 0;
}
