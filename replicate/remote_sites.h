// The two sites as the replicator sees them: where copies go, and where confirmations are brought back. Thread-safe.
#ifndef GREFFE_REPLICATE_REMOTE_SITES_H
#define GREFFE_REPLICATE_REMOTE_SITES_H

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "archive/client/archive_client.h"

namespace greffe::replicate {

// A site that may have lost what the other one has. As client::ArchiveClient, whose words these are.
class RepairableSite {
 public:
  virtual ~RepairableSite() = default;
  virtual Result<std::vector<client::LostThere>> lost_objects() = 0;
  virtual Status return_object(const Digest& digest, ByteView bytes) = 0;
};

// A second site, of which there may be several.
class CopySite : public RepairableSite {
 public:
  using Pace = std::function<Result<std::size_t>(std::size_t)>;  // as HttpRequest::pace; may be empty
  virtual Result<client::HeldCheckpoint> checkpoint(const client::LogTarget& log) = 0;
  // The same, with the proof that it continues the first `from` entries.
  virtual Result<client::HeldCheckpoint> checkpoint_from(const client::LogTarget& log, std::uint64_t from) = 0;
  virtual Result<std::vector<Digest>> have(const client::LogTarget& log, const std::vector<Digest>& digests) = 0;
  virtual Status put_object(const client::LogTarget& log, const Digest& digest, std::shared_ptr<ReadableFile> bytes, Pace pace) = 0;
  virtual Result<std::uint64_t> echo(const std::string& nonce) = 0;
  virtual Result<std::variant<std::string, client::EntriesRefused>> post_entries(const client::LogTarget& log, std::uint64_t first,
                                                                                 const std::vector<std::string>& entries,
                                                                                 std::string_view checkpoint_note,
                                                                                 const std::vector<ShownEntry>& shown) = 0;
  // Entries that the site is to know before it holds what they name.
  virtual Result<client::KnownThere> known_ahead(const client::LogTarget& log) = 0;
  virtual Result<std::variant<client::KnownThere, client::AheadRefused>> post_ahead(const client::LogTarget& log, std::uint64_t first,
                                                                                    const std::vector<std::string>& entries,
                                                                                    std::string_view checkpoint_note) = 0;
  virtual Result<Bytes> get_object(const client::LogTarget& log, const Digest& digest) = 0;
  // Signed notes of this log as the first site has them: a copy that nobody answers for keeps their signatures. A second site has
  // its own, and needs none.
  virtual Status give_signatures(const client::LogTarget&, const std::vector<std::string>&) { return ok(); }
};

// The first site, as far as the replicator speaks to it: it brings cosignatures, and what it lost.
class ConfirmationSite : public RepairableSite {
 public:
  virtual Status post_cosignatures(std::optional<HearingId> hearing, std::string_view note) = 0;
};

// `stop`: every call ends with `cancelled` at once when it is requested. What was sent in part is not kept there.
std::unique_ptr<CopySite> connect_copy_site(const client::ArchiveEndpoint& endpoint, const PrivateKey& identity, std::stop_token stop = {});
std::unique_ptr<ConfirmationSite> connect_confirmation_site(const client::ArchiveEndpoint& endpoint, const PrivateKey& identity,
                                                            std::stop_token stop = {});

// The second site, as a pool is rebuilt from it. As client::ArchiveClient, whose words these are.
class RestoreSite {
 public:
  virtual ~RestoreSite() = default;
  virtual Result<client::LogPiece> read_entries(const client::LogTarget& log, std::uint64_t first, std::optional<std::uint64_t> last) = 0;
  virtual Result<std::vector<HearingId>> hearings_of_day(const std::string& origin, const std::string& day) = 0;
  virtual Result<Bytes> get_object(const client::LogTarget& log, const Digest& digest, std::uint64_t entry) = 0;
};

std::unique_ptr<RestoreSite> connect_restore_site(const client::ArchiveEndpoint& endpoint, const PrivateKey& identity, std::stop_token stop);

}  // namespace greffe::replicate

#endif
