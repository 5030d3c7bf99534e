// Any bytes as a chunked body: the result does not depend on how the bytes are cut, and the limit holds.
#include <cstdint>
#include <string>
#include <string_view>

#include "archive/base/result.h"
#include "web/http/chunked.h"

namespace {

constexpr std::uint64_t kLimit = 1000;

struct Outcome {
  bool ok = true;
  bool done = false;
  std::size_t taken = 0;
  std::string out;
};

Outcome read_in_steps(std::string_view text, std::size_t step) {
  greffe::http::ChunkedReader reader(kLimit);
  Outcome outcome;
  while (outcome.taken < text.size() && !reader.done()) {
    const auto taken = reader.take(text.substr(outcome.taken, step), outcome.out);
    if (!taken) {
      outcome.ok = false;
      return outcome;
    }
    outcome.taken += *taken;
  }
  outcome.done = reader.done();
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const Outcome whole = read_in_steps(text, size + 1);
  GREFFE_CHECK(whole.out.size() <= kLimit);
  for (const std::size_t step : {std::size_t{1}, std::size_t{3}, std::size_t{64}}) {
    const Outcome cut = read_in_steps(text, step);
    GREFFE_CHECK(cut.ok == whole.ok);
    if (whole.ok) GREFFE_CHECK(cut.done == whole.done && cut.taken == whole.taken && cut.out == whole.out);
  }
  return 0;
}
