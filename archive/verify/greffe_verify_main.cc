// greffe-verify: proves offline that recordings are what was recorded and signed. Trusts only the keys it was given.
#include <cstdio>

#include "archive/base/command_line.h"
#include "archive/verify/verifier.h"

namespace {

using greffe::Result;
using greffe::verify::Verdict;

Result<int> run(const greffe::verify::VerifyRequest& request, bool json) {
  const auto report = GREFFE_TRY(greffe::verify::verify(request));
  const std::string text = json ? greffe::write_json(report->json()) + "\n" : report->words();
  std::fwrite(text.data(), 1, text.size(), stdout);
  return report->verdict() <= Verdict::verified_with_declared_gaps ? greffe::kExitDone : greffe::kExitFound;
}

}  // namespace

int main(int count, char** arguments) {
  greffe::verify::VerifyRequest request;
  bool json = false;
  std::int64_t threads = request.threads;
  greffe::CommandLine line("greffe-verify",
                           "Proves offline that recordings are what was recorded and signed. It trusts only the keys in the "
                           "policy that you give it, never anything inside PATH. Exit status: 0 VERIFIED or "
                           "VERIFIED_WITH_DECLARED_GAPS, 1 every other verdict, 2 it could not run.");
  line.root()
      .required("--policy", request.policy_file, "the keys that you trust: C2SP tlog-policy", "FILE")
      .option("--main-checkpoint", request.main_checkpoint_file,
              "a checkpoint of the main log that you hold from elsewhere; shows an archive that was set back", "FILE")
      .option("--sheet", request.sheet_file,
              "a closing sheet (sheet.json), or the text of the code on a printed one: has PATH, an exported hearing, its integrity value?", "FILE")
      .option("--threads", threads, "how many threads read and hash", "N")
      .option("--pool", request.pool_config, "instead of PATH: the pool that this archive.toml names, also one in Ceph RADOS or in an S3 bucket", "FILE")
      .json(json)
      .option("PATH", request.paths, "an exported hearing, or the volumes of a pool (the archive's or a replica's)")
      .body([&]() -> Result<int> {
        if (threads < 1 || threads > 64) return greffe::fail(greffe::Errc::invalid, "--threads must be from 1 to 64");
        if (!request.pool_config.empty() && (!request.paths.empty() || !request.sheet_file.empty())) {
          return greffe::fail(greffe::Errc::invalid, "--pool stands instead of PATH and --sheet");
        }
        if (request.paths.empty() && request.sheet_file.empty() && request.pool_config.empty()) {
          return greffe::fail(greffe::Errc::invalid, "name what is to be verified: an exported hearing, or the volumes of a pool");
        }
        request.threads = static_cast<unsigned>(threads);
        auto result = run(request, json);
        // What is wrong with the evidence is in the report; an Error means that it could not run (exit 2).
        if (!result && result.error().code == greffe::Errc::corrupt) return greffe::fail(greffe::Errc::invalid, result.error().message);
        return result;
      });
  return line.run(count, arguments);
}
