// What it takes to find a few differences between two sites that hold millions of objects: round trips and bytes, through the messages
// that would go over the line, beside the list of all names. Both sides are made as the programs make them: named, stored, sorted, hashed.
// usage: bench_compare [DIR] [OBJECTS] [DIFFERENCES]
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "replicate/differences.h"

namespace {

using greffe::Digest;
using greffe::Result;
using greffe::client::ComparisonStep;
using greffe::store::ComparedObjects;
using Time = std::chrono::steady_clock::time_point;

constexpr std::uint64_t kTargetRoundTrips = 10;
constexpr std::uint64_t kTargetBytes = 1'000'000;
constexpr std::uint64_t kTargetMiB = 512;
constexpr std::uint64_t kListedBytes = 32;  // a name, packed; as text it takes twice as much

double seconds_since(Time then) { return std::chrono::duration<double>(std::chrono::steady_clock::now() - then).count(); }

template <class T>
T need(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "bench_compare: %s\n", result.error().message.c_str());
    std::exit(2);
  }
  return *std::move(result);
}

// As evenly spread as digests; the same for the same number.
Digest id_of(std::uint64_t number) {
  Digest out;
  for (std::size_t word = 0; word < 4; ++word) {
    std::uint64_t mixed = number * 4 + word + 0x9e3779b97f4a7c15u;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
    mixed ^= mixed >> 31;
    for (std::size_t i = 0; i < 8; ++i) out.bytes[8 * word + i] = static_cast<std::uint8_t>(mixed >> 8 * i);
  }
  return out;
}

// `is_there`: of the first `count` numbers.
template <class IsThere>
std::unique_ptr<ComparedObjects> side(const std::string& directory, std::uint64_t count, const IsThere& is_there) {
  greffe::PosixFileSystem files;
  greffe::store::ComparedSources sources;
  sources.name_all = [&](const greffe::store::ComparedSources::Take& take) -> greffe::Status {
    for (std::uint64_t i = 0; i < count; ++i) GREFFE_TRY(take({id_of(i), greffe::ComparedKind::object, std::nullopt}, false));
    return greffe::ok();
  };
  sources.walk_stored = [&](const std::function<bool(const Digest&)>& visit) {
    for (std::uint64_t i = 0; i < count; ++i) {
      if (is_there(i) && !visit(id_of(i))) break;
    }
    return greffe::ok();
  };
  sources.is_stored = [](const Digest&) -> Result<bool> { return false; };
  greffe::store::ComparedProgress progress;
  return need(ComparedObjects::build(files, directory, sources, progress, {}));
}

class Site : public greffe::replicate::ComparedSite {
 public:
  explicit Site(const ComparedObjects& held) : held_(held) {}
  Result<std::string> ask(ComparisonStep step, std::string question) override {
    if (step == ComparisonStep::nodes) {
      const greffe::NodesQuestion nodes = GREFFE_TRY(greffe::parse_nodes_question(question));
      return greffe::write_nodes_answer(held_.answer(nodes));
    }
    const greffe::IdsQuestion ids = GREFFE_TRY(greffe::parse_ids_question(question));
    const greffe::IdsAnswer found = GREFFE_TRY(held_.answer(ids));
    return greffe::write_ids_answer(found);
  }

 private:
  const ComparedObjects& held_;
};

void row(const std::string& what, const char* peer, const char* to_reach, const std::string& measured, bool reached) {
  std::printf("ROW {\"row\":\"%s\",\"peer\":\"%s\",\"to_reach\":\"%s\",\"measured\":\"%s\",\"reached\":%s}\n", what.c_str(), peer, to_reach, measured.c_str(),
              reached ? "true" : "false");
  std::fflush(stdout);
}

std::uint64_t peak_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) / 1024;
}

}  // namespace

int main(int count, char** arguments) {
  const std::string folder = std::string(count > 1 ? arguments[1] : "/var/tmp") + "/greffe-compare";
  const std::uint64_t objects = count > 2 ? std::strtoull(arguments[2], nullptr, 10) : 10'000'000;
  const std::uint64_t differences = count > 3 ? std::strtoull(arguments[3], nullptr, 10) : 37;
  std::filesystem::remove_all(folder);
  const std::uint64_t step = objects / (differences + 1);
  const auto differs = [&](std::uint64_t i) { return i > 0 && i % step == 0 && i / step <= differences; };
  // Every second of them only there, the others only here.
  const Time begin = std::chrono::steady_clock::now();
  const auto own = side(folder + "/here", objects, [&](std::uint64_t i) { return !differs(i) || i / step % 2 == 0; });
  const double built = seconds_since(begin);
  const std::uint64_t one_side_mib = peak_mib();
  const auto other = side(folder + "/there", objects, [&](std::uint64_t i) { return !differs(i) || i / step % 2 == 1; });
  Site site(*other);
  greffe::replicate::Traffic traffic;
  traffic.round_trips = 1;  // that brings the root
  traffic.bytes = 300;
  const Time asked = std::chrono::steady_clock::now();
  const greffe::replicate::Differences found =
      need(greffe::replicate::ComparedSides(*own, site, "00112233445566778899aabbccddeeff", other->tree().root(), traffic).find({}));
  const double milliseconds = 1000 * seconds_since(asked);
  if (found.only_here_count + found.only_there_count != differences) {
    std::fprintf(stderr, "bench_compare: %llu differences were found, not %llu\n",
                 static_cast<unsigned long long>(found.only_here_count + found.only_there_count), static_cast<unsigned long long>(differences));
    return 2;
  }
  char text[160];
  std::snprintf(text, sizeof text, "%llu round trips, %.0f KB, %.1f ms; all names: %.0f MB", static_cast<unsigned long long>(traffic.round_trips),
                static_cast<double>(traffic.bytes) / 1000, milliseconds, static_cast<double>(objects * kListedBytes) / 1e6);
  row(std::to_string(differences) + " differences among " + std::to_string(objects) + " objects", "list of all names", "<= 10 round trips, <= 1 MB", text,
      traffic.round_trips <= kTargetRoundTrips && traffic.bytes <= kTargetBytes);
  std::snprintf(text, sizeof text, "%.1f s, %llu MiB", built, static_cast<unsigned long long>(one_side_mib));
  row("one side of it sorted and hashed, peak memory", "", "<= 512 MiB", text, one_side_mib <= kTargetMiB);
  std::filesystem::remove_all(folder);
  return 0;
}
