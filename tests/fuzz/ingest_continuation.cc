// continued.json in the spool: written and read again it is the same; whatever it claims is checked, never believed.
#include <cstdint>

#include "archive/base/result.h"
#include "ingest/continuation.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace greffe::ingest;
  const auto continuation = parse_continuation({reinterpret_cast<const char*>(bytes), size});
  if (!continuation) return 0;
  const std::string written = write_continuation(*continuation);
  const auto again = parse_continuation(written);
  GREFFE_CHECK(again && write_continuation(*again) == written);
  SignedLog log;
  log.entries.assign(4, "{}");
  log.checkpoint = greffe::SignedCheckpoint{{"archive.court.example/hearing/01a2027b-d680-7298-9353-af9bd5d91028", 4, root_at(log, 4)}, {}};
  Enrolment enrolment;
  enrolment.archive = "archive.court.example";
  const auto checked = check_continuation(*continuation, log, {}, enrolment);
  GREFFE_CHECK(!checked || continuation->first == 0);  // nobody has signed anything here
  return 0;
}
