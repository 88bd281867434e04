#import <Foundation/Foundation.h>
#import "Basket.h"
@import UIKit.UIView;

@class Item, Store;
@protocol StoreDelegate;

NS_ASSUME_NONNULL_BEGIN

static NSString *const BasketErrorDomain = @"@interface NotAClass : NSObject @end";
NSUInteger BasketLimit = 10, BasketStep;
extern NSString *const ElsewhereKey;
FOUNDATION_EXPORT void BasketPrototype(void);

#define BASKET_MAX 20
#define ITEM_SUM(a, b) \
    ((a) + (b))

/// How an item is taken out.
typedef NS_ENUM(NSInteger, BasketOrder) {
    BasketOrderFirst, // the oldest
    BasketOrderLast = 4,
};
typedef NS_OPTIONS(NSUInteger, BasketMask) { BasketMaskA = 1 << 0, BasketMaskB = 1 << 1 };
typedef NS_ERROR_ENUM(BasketErrorDomain, BasketError) {
    BasketErrorFull API_AVAILABLE(ios(11.0)),
};
typedef void (^BasketBlock)(Item *item, BOOL *stop);
typedef NSString *BasketKey NS_TYPED_ENUM;
typedef struct {
    CGFloat width, height;
} BasketSize;
enum { BasketAnonymous };

/**
 * Holds items.
 * Not for use on several threads.
 */
NS_SWIFT_NAME(Basket)
@interface Basket<__covariant T : Item *> : NSObject <NSCopying, NSSecureCoding>
{
@private
    int count, *counts;
#if DEBUG
    NSString *_label;
#endif
    void (*callback)(int);
}

/// The title.
@property (nonatomic, copy, readonly) NSString *title;
@property (nonatomic, strong, nullable) NSArray<T> *items, *more;
@property (class, nonatomic, readonly) Basket *shared;
@property (nonatomic, copy) void (^onDone)(BOOL ok);
@property (nonatomic, weak) id<StoreDelegate> delegate API_AVAILABLE(ios(10.0));

+ (instancetype)basketWithTitle:(NSString *)title count:(NSInteger)count NS_DESIGNATED_INITIALIZER;
- (instancetype)init NS_UNAVAILABLE;
/** Forgets all. */
- (void)clear;
- (id)at:(int)x :(int)y __attribute__((deprecated));
- untyped:argument;
- (void)log:(NSString *)format, ... NS_FORMAT_FUNCTION(1,2);
#if TARGET_OS_IPHONE
- (void)each:(void (NS_NOESCAPE ^)(T item, NSUInteger i, BOOL *stop))block
    completion:(nullable BasketBlock)completion;
#else
- (void)onMac:(int)a;
#endif
@end

@interface Basket (Sorting) <Sorting>
- (void)sortBy:(BasketOrder)order;
@end

@interface Basket ()
@property (nonatomic) int hidden;
@end

/// Is told.
@protocol StoreDelegate <NSObject, Other>
@required
- (void)storeDidOpen:(Store *)store;
@optional
@property (readonly) int mood;
- (BOOL)store:(Store *)store shouldTake:(Item *)item;
@end

NS_ASSUME_NONNULL_END

RCT_EXTERN void RegisterBasket(Class cls);

@implementation Basket {
    int _ivar;
}
@synthesize title = _title, items;
@dynamic more;

RCT_EXPORT_MODULE()

static int helper(int a) { return ITEM_SUM(a, 1); }
static BOOL isOpen = NO;

/// A doc of the implementation.
+ (instancetype)basketWithTitle:(NSString *)title
                          count:(NSInteger)count
{
    Basket *b = [[self alloc] init];
    [b setTitle:title count:count ? 3 : 4];
    b.items = @[ @{@"a" : @1}, @(count) ];
    helper(3);
    b.onDone = ^(BOOL ok) { int local = 3; [b clear]; };
    SEL s = @selector(at::);
    for (Item *item in b.items) [item at:1 :local];
    struct inner { int deep; };
    return b;
}

#ifdef DEBUG
- (void)clear { NSLog(@"- (void)notAMethod {}"); }
#else
- (void)clear
{
    @synchronized(self) { @try { [super clear]; } @catch (NSException *e) { } @finally { } }
    @autoreleasepool { dispatch_async(queue, ^{ [self.delegate storeDidOpen:nil]; }); }
}
#endif

RCT_EXPORT_METHOD(addItem : (NSString *)name callback : (Callback)callback)
{
    callback(@[ name ]);
}

- (void)dealloc
{
    NS_DURING
        [self clear];
    NS_HANDLER
        return;
    NS_ENDHANDLER
}
@end

@implementation Basket (Sorting)
- (void)sortBy:(BasketOrder)order {
    [_items sortUsingComparator:^NSComparisonResult(Item *a, Item *b) { return [a compare:b]; }];
}
@end

@compatibility_alias Korb Basket;

int main(int argc, char **argv)
{
    @autoreleasepool {
        return UIApplicationMain(argc, argv, nil, NSStringFromClass([Basket class]));
    }
}
