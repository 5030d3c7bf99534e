// enrolment.json: whom a station believes.
#include <cstdint>

#include "archive/base/result.h"
#include "ingest/station.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto enrolment = greffe::ingest::parse_enrolment({reinterpret_cast<const char*>(bytes), size});
  if (!enrolment) return 0;
  const std::string written = greffe::ingest::write_enrolment(*enrolment);
  const auto again = greffe::ingest::parse_enrolment(written);
  GREFFE_CHECK(again && greffe::ingest::write_enrolment(*again) == written);
  (void)enrolment->holder();
  return 0;
}
