// A copy that nobody answers for, as a pool is rebuilt from it: what a second site would send is read from the copy itself. Nothing of it is
// believed here: who restores hashes every byte, and checks who signed the logs.
#ifndef GREFFE_REPLICATE_COPY_SOURCE_H
#define GREFFE_REPLICATE_COPY_SOURCE_H

#include <memory>
#include <string>
#include <vector>

#include "replicate/passive_pool.h"
#include "replicate/remote_sites.h"

namespace greffe::replicate {

// Thread-safe.
class CopySource : public RestoreSite {
 public:
  // It must outlive this object.
  explicit CopySource(PassivePool& pool) : pool_(pool) {}

  Result<client::LogPiece> read_entries(const client::LogTarget& log, std::uint64_t first, std::optional<std::uint64_t> last) override;
  Result<std::vector<HearingId>> hearings_of_day(const std::string& origin, const std::string& day) override;
  Result<Bytes> get_object(const client::LogTarget& log, const Digest& digest, std::uint64_t entry) override;

 private:
  PassivePool& pool_;
};

}  // namespace greffe::replicate

#endif
