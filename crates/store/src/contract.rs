//! What every backend must do, as tests: `contract_tests!` makes one of each.
//!
//! `GRANTOR_RACE_ROUNDS` sets how often each race is run; 200 times when it is absent,
//! or as often as [`races::run_by_default`] was told.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test suite")]

pub mod agreement;
pub mod audit;
pub mod desk;
pub mod devices;
pub mod directory;
pub mod epoch;
pub mod expiry;
pub mod feed;
pub mod grants;
pub mod races;
pub mod samples;
pub mod sessions;
pub mod statuses;
pub mod tokens;
mod two_nodes;
pub mod uses;

pub use two_nodes::TwoNodes;

use crate::Store;
use std::sync::Arc;

/// The store under test.
pub type Subject = Arc<dyn Store>;

/// Makes a test of every behaviour in the contract. `$make` gives an empty store, and what must live as long as it.
///
/// ```text
/// grantor_store::contract_tests!((MemoryStore::new(), ()));
/// ```
#[macro_export]
macro_rules! contract_tests {
    ($make:expr) => {
        $crate::contract_tests! { $make;
            grants::{
                rfc6749_4_1_2_a_code_is_spent_once,
                rfc6749_6_a_refresh_gives_the_next_generation,
                a_grant_comes_with_its_owner,
                rfc6749_6_a_grant_expires_when_idle_and_absolutely,
                rfc9700_4_14_2_the_generation_just_replaced_is_repeated_inside_the_grace_window,
                rfc9700_4_14_2_an_outdated_generation_revokes_the_grant,
                rfc7009_2_1_a_revoked_grant_stays_revoked,
                every_presentation_is_as_the_rule_says,
                grants_are_listed_youngest_first,
                revoking_all_takes_what_is_meant_and_nothing_else,
                grants_of_one_tenant_mean_nothing_to_another,
            }
            tokens::{
                rfc7662_2_2_a_token_stands_while_nothing_was_taken_back,
                rfc7009_2_a_revoked_token_stays_revoked,
                rfc7009_2_1_a_token_falls_with_its_grant,
                a_cut_off_takes_what_was_issued_before_it,
                a_code_older_than_a_cut_off_gives_nothing,
                the_later_of_two_cut_offs_stays,
            }
            sessions::{
                a_session_lives_until_it_ends,
                signing_in_again_replaces_the_session,
                every_session_of_a_user_can_be_ended,
                consents_add_up,
                rfc9449_11_1_a_value_is_remembered_until_it_expires,
            }
            devices::{
                rfc8628_3_3_a_device_is_found_by_its_user_code,
                rfc8628_5_1_a_user_code_is_one_devices,
                rfc8628_3_5_who_asks_too_often_waits_longer,
                rfc8628_3_5_what_was_said_to_a_device_stands,
                a_device_goes_with_its_tenant_and_with_the_epoch,
            }
            statuses::{
                token_status_list_7_1_a_list_says_of_each_token_how_it_stands,
                what_is_issued_after_a_cut_off_is_valid,
                what_a_disabled_user_or_client_has_is_not_valid,
                an_index_is_one_tokens,
                a_list_goes_with_its_tokens,
            }
            uses::{
                the_last_use_of_each_credential_is_known,
                a_later_use_wins_and_a_minute_is_one_use,
                a_name_that_is_too_long_is_not_noted,
                a_deleted_client_takes_its_uses_with_it,
                a_deleted_tenant_takes_its_uses_with_it,
            }
            desk::{
                a_workspace_is_its_members,
                a_workspace_changes_from_version_to_version,
                an_item_lies_in_its_workspace,
                what_is_dropped_is_what_was_seen,
                a_deleted_user_leaves_nothing_on_the_desk,
                a_deleted_tenant_takes_its_desk_with_it,
                one_of_many_changes_of_an_item_wins,
            }
            directory::{
                every_change_makes_a_version,
                a_change_is_made_whole_or_not_at_all,
                records_are_put_replaced_and_deleted,
                user_names_are_unique_without_regard_to_case,
                a_deleted_user_leaves_nothing_that_works,
                a_deleted_client_leaves_nothing_that_works,
                a_deleted_tenant_takes_everything_with_it_but_the_log,
            }
            feed::{
                the_changes_since_a_version_lead_to_now,
                only_versions_that_were_have_changes,
                a_deletion_of_long_ago_is_never_passed_over,
                too_much_is_not_told_one_by_one,
                a_follower_misses_nothing,
                a_change_is_heard_of,
            }
            audit::{
                events_are_read_in_order,
                a_noted_event_is_written_with_the_next_commit,
            }
            epoch::{
                rfc6749_4_1_2_a_code_older_than_the_epoch_gives_nothing,
                rfc7009_2_1_a_grant_older_than_the_epoch_is_as_if_revoked,
                rfc7662_2_2_a_token_older_than_the_epoch_does_not_stand,
                nothing_older_than_the_epoch_is_counted_or_listed,
                the_epoch_closes_every_session,
                the_epoch_never_moves_backwards,
                rfc7009_2_1_an_epoch_beats_every_refresh_in_flight,
            }
            expiry::{
                events_are_kept_from_a_moment_on,
                what_has_expired_is_dropped_in_steps,
                a_grant_is_kept_while_its_tokens_may_live,
            }
            races::{
                rfc6749_4_1_2_one_of_many_redemptions_is_fresh,
                rfc8628_3_4_one_of_many_polls_is_given_the_grant,
                rfc9700_4_14_2_one_of_many_refreshes_rotates,
                rfc9700_4_14_2_without_grace_many_refreshes_revoke,
                rfc7009_2_1_a_revoke_beats_every_refresh,
                one_of_many_revokes_finds_the_grant_standing,
                revoking_all_counts_every_grant_once,
                rfc7009_2_a_revoked_token_is_never_seen_standing,
                one_of_many_remembers,
                many_sessions_replace_one,
                closing_all_sessions_spares_none_that_was_open,
                many_consents_add_up,
                one_of_many_changes_wins,
                the_directory_is_read_as_of_one_moment,
                one_of_many_users_gets_the_name,
                every_event_is_kept,
                expiry_spares_what_lives,
                the_latest_of_many_uses_stays,
                no_use_outlives_its_client,
            }
        }
    };
    ($make:expr; $($module:ident::{$($name:ident,)*})*) => {
        $(
            mod $module {
                #[allow(unused_imports, reason = "the expression that makes a store may need what surrounds it")]
                use super::*;
                $(
                    #[::tokio::test(flavor = "multi_thread", worker_threads = 2)]
                    async fn $name() {
                        let (store, _guard) = $make;
                        $crate::contract::$module::$name(::std::sync::Arc::new(store)).await;
                    }
                )*
            }
        )*
    };
}
