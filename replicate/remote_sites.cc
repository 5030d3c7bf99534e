#include "replicate/remote_sites.h"

namespace greffe::replicate {
namespace {

class HttpCopySite : public CopySite {
 public:
  HttpCopySite(const client::ArchiveEndpoint& endpoint, const PrivateKey& identity, std::stop_token stop)
      : client_(endpoint, identity, std::move(stop)) {}
  Result<client::HeldCheckpoint> checkpoint(const client::LogTarget& log) override { return client_.checkpoint(log); }
  Result<client::HeldCheckpoint> checkpoint_from(const client::LogTarget& log, std::uint64_t from) override { return client_.checkpoint(log, from); }
  Result<std::vector<Digest>> have(const client::LogTarget& log, const std::vector<Digest>& digests) override {
    return client_.have(log, digests);
  }
  Status put_object(const client::LogTarget& log, const Digest& digest, std::shared_ptr<ReadableFile> bytes, Pace pace) override {
    return client_.put_object(log, digest, std::move(bytes), std::move(pace));
  }
  Result<std::uint64_t> echo(const std::string& nonce) override { return client_.echo(nonce); }
  Result<std::variant<std::string, client::EntriesRefused>> post_entries(const client::LogTarget& log, std::uint64_t first,
                                                                         const std::vector<std::string>& entries,
                                                                         std::string_view checkpoint_note,
                                                                         const std::vector<ShownEntry>& shown) override {
    return client_.post_entries(log, first, entries, checkpoint_note, shown);
  }
  Result<client::KnownThere> known_ahead(const client::LogTarget& log) override { return client_.known_ahead(log); }
  Result<std::variant<client::KnownThere, client::AheadRefused>> post_ahead(const client::LogTarget& log, std::uint64_t first,
                                                                            const std::vector<std::string>& entries,
                                                                            std::string_view checkpoint_note) override {
    return client_.post_ahead(log, first, entries, checkpoint_note);
  }
  Result<Bytes> get_object(const client::LogTarget& log, const Digest& digest) override { return client_.get_object(log, digest); }
  Result<std::vector<client::LostThere>> lost_objects() override { return client_.lost_objects(); }
  Status return_object(const Digest& digest, ByteView bytes) override { return client_.return_object(digest, bytes); }

 private:
  client::ArchiveClient client_;
};

class HttpConfirmationSite : public ConfirmationSite {
 public:
  HttpConfirmationSite(const client::ArchiveEndpoint& endpoint, const PrivateKey& identity, std::stop_token stop)
      : client_(endpoint, identity, std::move(stop)) {}
  Status post_cosignatures(std::optional<HearingId> hearing, std::string_view note) override {
    return client_.post_cosignatures(hearing, note);
  }
  Result<std::vector<client::LostThere>> lost_objects() override { return client_.lost_objects(); }
  Status return_object(const Digest& digest, ByteView bytes) override { return client_.return_object(digest, bytes); }

 private:
  client::ArchiveClient client_;
};

class HttpRestoreSite : public RestoreSite {
 public:
  HttpRestoreSite(const client::ArchiveEndpoint& endpoint, const PrivateKey& identity, std::stop_token stop) : client_(endpoint, identity, std::move(stop)) {}
  Result<client::LogPiece> read_entries(const client::LogTarget& log, std::uint64_t first, std::optional<std::uint64_t> last) override {
    return client_.read_entries(log, first, last);
  }
  Result<std::vector<HearingId>> hearings_of_day(const std::string& origin, const std::string& day) override {
    return client_.hearings_of_day(origin, day);
  }
  Result<Bytes> get_object(const client::LogTarget& log, const Digest& digest, std::uint64_t entry) override {
    return client_.get_object(log, digest, entry);
  }

 private:
  client::ArchiveClient client_;
};

}  // namespace

std::unique_ptr<CopySite> connect_copy_site(const client::ArchiveEndpoint& endpoint, const PrivateKey& identity, std::stop_token stop) {
  return std::make_unique<HttpCopySite>(endpoint, identity, std::move(stop));
}
std::unique_ptr<ConfirmationSite> connect_confirmation_site(const client::ArchiveEndpoint& endpoint, const PrivateKey& identity,
                                                            std::stop_token stop) {
  return std::make_unique<HttpConfirmationSite>(endpoint, identity, std::move(stop));
}
std::unique_ptr<RestoreSite> connect_restore_site(const client::ArchiveEndpoint& endpoint, const PrivateKey& identity, std::stop_token stop) {
  return std::make_unique<HttpRestoreSite>(endpoint, identity, std::move(stop));
}

}  // namespace greffe::replicate
